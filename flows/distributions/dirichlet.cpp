#include "fjord/flows/distributions/dirichlet.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/flows/check_rows.hpp"
#include "fjord/flows/distributions/check_numbers.hpp"
#include "fjord/flows/distributions/draws.hpp"
#include "fjord/flows/distributions/rounded_leaf.hpp"
#include "fjord/flows/distributions/special.hpp"

namespace fjord::flows {

template <class T>
Dirichlet<T>::Dirichlet(std::vector<double> concentration)
    : concentration_(std::move(concentration)) {
  require(concentration_.size() > 1, "dirichlet", [&] {
    return "2 numbers or more are needed as concentration, got " +
           std::to_string(concentration_.size());
  });
  check_numbers<T>(concentration_, true, "dirichlet", "concentration");
  // As a product of beta functions, whose differences of log-gammas do not cancel.
  for (const double a : concentration_) {
    if (total_ > 0) log_density_ -= special::log_beta(total_, a).value;
    total_ += a;
  }
  // The sum over the parts of (a - 1) log u - weight (u - origin), with u = factor part, and a
  // constant: as of gamma variables, a large a has u = 1 at the mean, so that the terms are small
  // where most rows are. What the weights add is 0, as the parts sum to 1.
  constexpr double large = 16;
  const bool is_any_large = *std::ranges::max_element(concentration_) > large;
  for (const double a : concentration_) {
    factors_.push_back(a > large ? total_ / a : 1);
    weights_.push_back(a > large ? a : is_any_large ? total_ : 0);
    origins_.push_back(a > large ? 1 : a / total_);
  }
  if (!is_any_large) return;
  const double log_root = 0.5 * std::log(2 * std::numbers::pi);
  double power_of_total = -0.5;
  log_density_ = log_root + special::stirling_rest(total_);
  for (const double a : concentration_) {
    if (a > large) {
      power_of_total += 1;
      log_density_ -= 0.5 * std::log(a) + log_root + special::stirling_rest(a);
    } else {
      power_of_total += a;
      log_density_ -= a + special::log_gamma(a);
    }
  }
  log_density_ += power_of_total * std::log(total_);
}

template <class T>
std::optional<Tensor<double>> Dirichlet<T>::mean() const {
  Tensor<double> mean = Tensor<double>::zeros({dim()});
  for (Index d = 0; d < dim(); ++d) mean(d) = concentration_[static_cast<std::size_t>(d)] / total_;
  return mean;
}

template <class T>
std::optional<Tensor<double>> Dirichlet<T>::variance() const {
  Tensor<double> variance = Tensor<double>::zeros({dim()});
  for (Index d = 0; d < dim(); ++d) {
    const double a = concentration_[static_cast<std::size_t>(d)];
    variance(d) = a / total_ * ((total_ - a) / total_) / (total_ + 1);
  }
  return variance;
}

template <class T>
std::optional<double> Dirichlet<T>::entropy() const {
  // Parts are independent gamma variables over their sum.
  double entropy =
      -special::gamma_entropy(total_) - static_cast<double>(dim()) * special::digamma(total_);
  for (const double a : concentration_) entropy += special::gamma_entropy(a);
  return entropy;
}

template <class T>
Var<T> Dirichlet<T>::sample(Tape<T>& tape, Index rows, Context<T>& context) const {
  std::vector<double> logs(concentration_.size());
  Tensor<T> x = Tensor<T>::zeros({rows, dim()});
  for (Index row = 0; row < rows; ++row) {
    const std::uint64_t number = context.first_row + static_cast<std::uint64_t>(row);
    for (std::size_t k = 0; k < logs.size(); ++k)
      logs[k] = draw_log_gamma(concentration_[k], context.random, number * logs.size() + k);
    const double most = *std::max_element(logs.begin(), logs.end());
    double sum = 0;
    for (const double log : logs) sum += std::exp(log - most);
    // What the rounded parts leave of 1 must be positive, as they must.
    const double rounding = static_cast<double>(logs.size()) * std::numeric_limits<T>::epsilon();
    const bool is_full = std::exp(logs.back() - most) / sum < 2 * rounding;
    const double whole = is_full ? 1 - 2 * rounding : 1;
    for (Index d = 0; d < dim(); ++d) {
      const double part = whole * std::exp(logs[static_cast<std::size_t>(d)] - most) / sum;
      x(row, d) = std::max(static_cast<T>(part), std::numeric_limits<T>::min());
    }
  }
  return tape.input(x);
}

template <class T>
Var<T> Dirichlet<T>::log_prob(const Var<T>& x, Context<T>&) const {
  check_rows(x, dim(), "dirichlet");
  Tape<T>& tape = x.tape();
  const Var<T> parts = concatenate({x, T(1) - sum(x, {1}, true)}, 1);
  const auto size = static_cast<Index>(concentration_.size());
  const auto leaf = [&](const std::vector<double>& numbers) {
    return rounded_leaf<T>(tape, {size}, numbers);
  };
  const Var<T> u = parts * leaf(factors_);
  const Var<T> terms =
      xlogy(leaf(concentration_) - T(1), u) - (u - leaf(origins_)) * leaf(weights_);
  const Var<T> logs = sum(terms, {1}) + static_cast<T>(log_density_);
  return where(sum(parts < T(0), {1}) > T(0), -std::numeric_limits<T>::infinity(), logs);
}

template <class T>
nn::Description<T> Dirichlet<T>::describe() {
  return nn::Description<T>("dirichlet").set("concentration", concentration_);
}

template class Dirichlet<float>;
template class Dirichlet<double>;

}  // namespace fjord::flows
