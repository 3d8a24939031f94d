#include "fjord/flows/distributions/beta.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/flows/distributions/draws.hpp"
#include "fjord/flows/distributions/special.hpp"

namespace fjord::flows {

template <class T>
Beta<T>::Beta(std::vector<double> a, std::vector<double> b)
    : IndependentColumns<T>("beta", {{"a", IndependentColumns<T>::Range::positive, std::move(a)},
                                     {"b", IndependentColumns<T>::Range::positive, std::move(b)}}) {
  this->set_support([](Index) { return std::pair(0.0, 1.0); });
  // With a <= b, and else with a and b, x and 1 - x exchanged: (a - 1) log u + (b - 1) log v + a
  // constant, u = factor x and v = other factor (1 - x) = 1 + (origin - u) ratio. Large numbers
  // have u = v = 1 at the mean, so that the terms are small where most numbers are; and v is of the
  // same u, so that what u is rounded by has no effect there.
  const auto less = [this](Index d) { return std::min(this->setting(0, d), this->setting(1, d)); };
  const auto more = [this](Index d) { return std::max(this->setting(0, d), this->setting(1, d)); };
  const auto is_first_less = [this](Index d) { return this->setting(0, d) <= this->setting(1, d); };
  const auto is_large = [=](Index d) { return less(d) > 16; };
  offset_ = this->columns([=](Index d) { return is_first_less(d) ? 0 : 1; });
  sign_ = this->columns([=](Index d) { return is_first_less(d) ? 1 : -1; });
  power_ = this->columns([=](Index d) { return less(d) - 1; });
  other_power_ = this->columns([=](Index d) { return more(d) - 1; });
  factor_ = this->columns([=](Index d) { return is_large(d) ? 1 + more(d) / less(d) : 1; });
  other_factor_ = this->columns([=](Index d) { return is_large(d) ? 1 + less(d) / more(d) : 1; });
  origin_ = this->columns([=](Index d) { return is_large(d) ? 1 : 0; });
  ratio_ = this->columns([=](Index d) { return is_large(d) ? less(d) / more(d) : 1; });
  log_density_ = this->columns([=](Index d) {
    const double l = less(d);
    const double m = more(d);
    if (!is_large(d)) return -special::log_beta(l, m).value;
    const double logs = 1.5 * std::log(l + m) - 0.5 * (std::log(l) + std::log(m));
    return logs - 0.5 * std::log(2 * std::numbers::pi) + special::stirling_rest(l + m) -
           special::stirling_rest(l) - special::stirling_rest(m);
  });
}

template <class T>
Var<T> Beta<T>::log_densities_inside(const Var<T>& x) const {
  Tape<T>& tape = x.tape();
  const Var<T> part = tape.input(offset_) + tape.input(sign_) * x;
  const Var<T> other_part = (T(1) - tape.input(offset_)) - tape.input(sign_) * x;
  const Var<T> u = part * tape.input(factor_);
  const Var<T> v_less_1 = (tape.input(origin_) - u) * tape.input(ratio_);
  const Var<T> other_power = tape.input(other_power_);
  // A small v has its digits by the other way.
  const Var<T> other = where(v_less_1 > T(-0.5), xlog1py(other_power, v_less_1),
                             xlogy(other_power, other_part * tape.input(other_factor_)));
  return tape.input(log_density_) + xlogy(tape.input(power_), u) + other;
}

template <class T>
std::optional<double> Beta<T>::cdf_of(Index column, double x, Tail tail) const {
  return special::beta_cdf(this->setting(0, column), this->setting(1, column), x, tail);
}

template <class T>
std::optional<double> Beta<T>::quantile_of(Index column, double p, Tail tail) const {
  return special::beta_quantile(this->setting(0, column), this->setting(1, column), p, tail);
}

template <class T>
std::optional<double> Beta<T>::mean_of(Index column) const {
  return this->setting(0, column) / (this->setting(0, column) + this->setting(1, column));
}

template <class T>
std::optional<double> Beta<T>::variance_of(Index column) const {
  const double sum = this->setting(0, column) + this->setting(1, column);
  return this->setting(0, column) / sum * (this->setting(1, column) / sum) / (sum + 1);
}

template <class T>
std::optional<double> Beta<T>::entropy_of(Index column) const {
  const double a = this->setting(0, column);
  const double b = this->setting(1, column);
  return special::gamma_entropy(a) + special::gamma_entropy(b) - special::gamma_entropy(a + b) -
         special::digamma(a + b);
}

template <class T>
double Beta<T>::draw(Index column, const RandomKey& random, std::uint64_t number) const {
  const double first = draw_log_gamma(this->setting(0, column), random.fold(0), number);
  const double second = draw_log_gamma(this->setting(1, column), random.fold(1), number);
  return 1 / (1 + std::exp(second - first));
}

template class Beta<float>;
template class Beta<double>;

}  // namespace fjord::flows
