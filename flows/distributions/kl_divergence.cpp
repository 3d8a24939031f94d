#include "fjord/flows/distributions/kl_divergence.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "fjord/autodiff/ops/factor.hpp"
#include "fjord/autodiff/ops/solve.hpp"
#include "fjord/flows/distributions/beta.hpp"
#include "fjord/flows/distributions/categorical.hpp"
#include "fjord/flows/distributions/cauchy.hpp"
#include "fjord/flows/distributions/dirichlet.hpp"
#include "fjord/flows/distributions/exponential.hpp"
#include "fjord/flows/distributions/full_normal.hpp"
#include "fjord/flows/distributions/gamma.hpp"
#include "fjord/flows/distributions/half_normal.hpp"
#include "fjord/flows/distributions/laplace.hpp"
#include "fjord/flows/distributions/log_normal.hpp"
#include "fjord/flows/distributions/low_rank_normal.hpp"
#include "fjord/flows/distributions/product.hpp"
#include "fjord/flows/distributions/special.hpp"
#include "fjord/flows/distributions/uniform.hpp"
#include "fjord/flows/distributions/von_mises.hpp"

namespace fjord::flows {
namespace {

// The settings of one column: two numbers, of which an exponential's concentration is 1.
struct Pair {
  double first;
  double second;
};

// e - log(1 + e), without cancellation near 0.
double less_log_of_one_and(double e) {
  if (std::abs(e) > 0.1) return e - std::log1p(e);
  double sum = 0;
  for (int n = 18; n >= 2; --n) sum = (n % 2 == 0 ? 1.0 : -1.0) / n + e * sum;
  return e * e * sum;
}

// x - 1 - log x, without cancellation near 1.
double excess(double x) {
  return less_log_of_one_and(x - 1);
}

double of_normals(const Pair& p, const Pair& q) {
  const double ratio = p.second / q.second;
  const double shift = (p.first - q.first) / q.second;
  return 0.5 * (excess(ratio * ratio) + shift * shift);
}

double of_half_normals(const Pair& p, const Pair& q) {
  return of_normals({0, p.first}, {0, q.first});
}

double of_laplaces(const Pair& p, const Pair& q) {
  const double shift = std::abs(p.first - q.first);
  // E|x - q.first| = shift + scale e^(-shift / scale) under p.
  const double ratio = p.second / q.second;
  const double u = shift / p.second;
  return excess(ratio) + ratio * (u + std::expm1(-u));
}

double of_cauchys(const Pair& p, const Pair& q) {
  const double a = (p.second - q.second) / (2 * p.second);
  const double b = (p.first - q.first) / (2 * p.second);
  return std::log1p((a * a + b * b) * p.second / q.second);
}

double of_uniforms(const Pair& p, const Pair& q) {
  if (p.first < q.first || p.second > q.second) return std::numeric_limits<double>::infinity();
  return std::log((q.second - q.first) / (p.second - p.first));
}

// That of gamma distributions of one rate: log gamma(q) less its tangent at p.
double of_concentrations(double p, double q) {
  if (std::min(p, q) < 1)
    return special::log_gamma(q) - special::log_gamma(p) + (p - q) * special::digamma(p);
  // The same with Stirling's approximation, whose large terms are put together.
  return q * less_log_of_one_and((p - q) / q) + 0.5 * std::log(p / q) + special::stirling_rest(q) -
         special::stirling_rest(p) + (q - p) * special::log_less_digamma(p);
}

double of_gammas(const Pair& p, const Pair& q) {
  // The rates, then the concentrations.
  return q.first * excess(q.second / p.second) + of_concentrations(p.first, q.first) +
         (p.first - q.first) * (q.second / p.second - 1);
}

double of_betas(const Pair& p, const Pair& q) {
  const special::LogBeta of_p = special::log_beta(p.first, p.second);
  const special::LogBeta of_q = special::log_beta(q.first, q.second);
  const double first = of_concentrations(p.first, q.first);
  const double second = of_concentrations(p.second, q.second);
  const double both = of_concentrations(p.first + p.second, q.first + q.second);
  // Two forms, of which each cancels where the other does not.
  if (first + second + both < std::abs(of_p.value) + std::abs(of_q.value))
    return first + second - both;
  return of_q.value - of_p.value + (p.first - q.first) * of_p.in_a +
         (p.second - q.second) * of_p.in_b;
}

double of_von_mises(const Pair& p, const Pair& q) {
  const special::ScaledBessel of_p = special::scaled_bessel(p.second);
  const special::ScaledBessel of_q = special::scaled_bessel(q.second);
  // E cos(x - p.first) under p, which is 1 - drop.
  const double drop = of_p.i0_less_i1 / of_p.i0;
  const double half = std::sin((p.first - q.first) / 2);
  return std::log(of_q.i0 / of_p.i0) + (q.second - p.second) * drop +
         q.second * (1 - drop) * 2 * half * half;
}

template <class T, class C>
Pair settings_of(const C& columns, Index d) {
  if constexpr (std::is_same_v<C, Exponential<T>>) return {1, columns.setting(0, d)};
  if constexpr (std::is_same_v<C, HalfNormal<T>>) return {columns.setting(0, d), 0};
  return {columns.setting(0, d), columns.setting(1, d)};
}

// The sum over columns, if p is of type P and q of type Q.
template <class T, class P, class Q, double (*of_column)(const Pair&, const Pair&)>
std::optional<double> over_columns(const Distribution<T>& p, const Distribution<T>& q) {
  const auto* first = dynamic_cast<const P*>(&p);
  const auto* second = dynamic_cast<const Q*>(&q);
  if (first == nullptr || second == nullptr) return std::nullopt;
  double sum = 0;
  for (Index d = 0; d < p.dim(); ++d)
    sum += of_column(settings_of<T>(*first, d), settings_of<T>(*second, d));
  return sum;
}

template <class T, template <class> class P, double (*of_column)(const Pair&, const Pair&)>
constexpr auto* of_one_type = over_columns<T, P<T>, P<T>, of_column>;

// The lower factor of the covariance, [D, D]; empty of what is not normal.
template <class T>
std::optional<Tensor<double>> normal_factor(const Distribution<T>& p) {
  if (const auto* full = dynamic_cast<const FullNormal<T>*>(&p)) return full->factor();
  if (const auto* low_rank = dynamic_cast<const LowRankNormal<T>*>(&p)) {
    Tape<double> tape;
    return Tensor<double>(cholesky(tape.input(low_rank->covariance())).value());
  }
  const auto* diagonal = dynamic_cast<const DiagonalNormal<T>*>(&p);
  if (diagonal == nullptr) return std::nullopt;
  Tensor<double> factor = Tensor<double>::zeros({p.dim(), p.dim()});
  for (Index d = 0; d < p.dim(); ++d) factor(d, d) = diagonal->setting(1, d);
  return factor;
}

template <class T>
std::optional<double> of_full_normals(const Distribution<T>& p, const Distribution<T>& q) {
  const std::optional<Tensor<double>> of_p = normal_factor(p);
  const std::optional<Tensor<double>> of_q = normal_factor(q);
  if (!of_p || !of_q) return std::nullopt;
  const Tensor<double> from = p.mean().value();
  const Tensor<double> to = q.mean().value();
  Tensor<double> shift = Tensor<double>::zeros({p.dim(), 1});
  for (Index d = 0; d < p.dim(); ++d) shift(d, 0) = from(d) - to(d);
  Tape<double> tape;
  const Var<double> lower = tape.input(*of_q);
  const TensorView<double> ratio = triangular_solve(lower, tape.input(*of_p)).value();
  const TensorView<double> moved = triangular_solve(lower, tape.input(shift)).value();
  double sum = 0;
  for (Index i = 0; i < p.dim(); ++i) {
    sum += excess(ratio(i, i) * ratio(i, i)) + moved(i, 0) * moved(i, 0);
    for (Index j = 0; j < i; ++j) sum += ratio(i, j) * ratio(i, j);
  }
  return 0.5 * sum;
}

template <class T>
std::optional<double> of_dirichlets(const Distribution<T>& p, const Distribution<T>& q) {
  const auto* first = dynamic_cast<const Dirichlet<T>*>(&p);
  const auto* second = dynamic_cast<const Dirichlet<T>*>(&q);
  if (first == nullptr || second == nullptr) return std::nullopt;
  double total = 0;
  for (const double a : first->concentration()) total += a;
  double sum = 0;
  double logs = 0;   // the sizes of the logarithms in it
  double parts = 0;  // the other form, but for the total
  double so_far = 0;
  double so_far_of_q = 0;
  for (std::size_t k = 0; k < first->concentration().size(); ++k) {
    const double a = first->concentration()[k];
    const double b = second->concentration()[k];
    if (k > 0) {
      const double of_p = special::log_beta(so_far, a).value;
      const double of_q = special::log_beta(so_far_of_q, b).value;
      sum += of_q - of_p;
      logs += std::abs(of_q) + std::abs(of_p);
    }
    sum += (a - b) * special::log_beta(a, total - a).in_a;
    parts += of_concentrations(a, b);
    so_far += a;
    so_far_of_q += b;
  }
  const double both = of_concentrations(so_far, so_far_of_q);
  // As of beta distributions.
  return parts + both < logs ? parts - both : sum;
}

// Of Bernoulli and Categorical.
template <class T, class C>
std::optional<double> of_choices(const Distribution<T>& p, const Distribution<T>& q) {
  const auto* first = dynamic_cast<const C*>(&p);
  const auto* second = dynamic_cast<const C*>(&q);
  if (first == nullptr || second == nullptr) return std::nullopt;
  double sum = 0;
  for (std::size_t k = 0; k < first->probabilities().size(); ++k) {
    const double a = first->probabilities()[k];
    const bool is_known = k < second->probabilities().size();
    if (a > 0) sum += a * std::log(a / (is_known ? second->probabilities()[k] : 0));
  }
  return sum;
}

template <class T>
std::optional<double> of_products(const Distribution<T>& p, const Distribution<T>& q) {
  const auto* first = dynamic_cast<const Product<T>*>(&p);
  const auto* second = dynamic_cast<const Product<T>*>(&q);
  if (first == nullptr || second == nullptr) return std::nullopt;
  if (first->parts().size() != second->parts().size()) return std::nullopt;
  double sum = 0;
  for (std::size_t k = 0; k < first->parts().size(); ++k) {
    const Distribution<T>& a = *first->parts()[k];
    const Distribution<T>& b = *second->parts()[k];
    const auto of_part = a.dim() == b.dim() ? kl_divergence(a, b) : std::nullopt;
    if (!of_part) return std::nullopt;
    sum += *of_part;
  }
  return sum;
}

// What each pair of types is found in: the first that gives a number.
template <class T>
constexpr std::array pairs{of_one_type<T, DiagonalNormal, of_normals>,
                           of_one_type<T, Beta, of_betas>,
                           of_one_type<T, Cauchy, of_cauchys>,
                           of_one_type<T, Exponential, of_gammas>,
                           of_one_type<T, Gamma, of_gammas>,
                           over_columns<T, Exponential<T>, Gamma<T>, of_gammas>,
                           over_columns<T, Gamma<T>, Exponential<T>, of_gammas>,
                           of_one_type<T, HalfNormal, of_half_normals>,
                           of_one_type<T, Laplace, of_laplaces>,
                           of_one_type<T, LogNormal, of_normals>,
                           of_one_type<T, Uniform, of_uniforms>,
                           of_one_type<T, VonMises, of_von_mises>,
                           of_full_normals<T>,
                           of_dirichlets<T>,
                           of_choices<T, Bernoulli<T>>,
                           of_choices<T, Categorical<T>>,
                           of_products<T>};

}  // namespace

template <class T>
std::optional<double> kl_divergence(const Distribution<T>& p, const Distribution<T>& q) {
  require(p.dim() == q.dim(), "kl_divergence", [&] {
    return "distributions of one width are needed, got " + std::to_string(p.dim()) + " and " +
           std::to_string(q.dim());
  });
  for (const auto& of_pair : pairs<T>) {
    const std::optional<double> divergence = of_pair(p, q);
    if (divergence) return divergence;
  }
  return std::nullopt;
}

template std::optional<double> kl_divergence(const Distribution<float>&,
                                             const Distribution<float>&);
template std::optional<double> kl_divergence(const Distribution<double>&,
                                             const Distribution<double>&);

}  // namespace fjord::flows
