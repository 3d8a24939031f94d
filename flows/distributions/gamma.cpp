#include "fjord/flows/distributions/gamma.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/flows/distributions/draws.hpp"
#include "fjord/flows/distributions/special.hpp"

namespace fjord::flows {

template <class T>
Gamma<T>::Gamma(std::vector<double> concentration, std::vector<double> rate)
    : IndependentColumns<T>(
          "gamma",
          {{"concentration", IndependentColumns<T>::Range::positive, std::move(concentration)},
           {"rate", IndependentColumns<T>::Range::positive, std::move(rate)}}) {
  this->set_support([](Index) { return std::pair(0.0, std::numeric_limits<double>::infinity()); });
  // (a - 1) log u - weight (u - origin) + a constant, with u = factor x. A large a has u = 1 at the
  // mean, so that the terms are small where most numbers are.
  const auto is_large = [this](Index column) { return this->setting(0, column) > 16; };
  const auto mean = [this](Index column) {
    return this->setting(0, column) / this->setting(1, column);
  };
  factor_ = this->columns([&](Index d) { return is_large(d) ? 1 / mean(d) : 1; });
  weight_ = this->columns([&](Index d) { return this->setting(is_large(d) ? 0 : 1, d); });
  origin_ = this->columns([&](Index d) { return is_large(d) ? 1 : 0; });
  log_density_ = this->columns([&](Index d) {
    const double a = this->setting(0, d);
    const double log_rate = std::log(this->setting(1, d));
    if (!is_large(d)) return a * log_rate - special::log_gamma(a);
    return log_rate - 0.5 * std::log(2 * std::numbers::pi * a) - special::stirling_rest(a);
  });
}

template <class T>
Var<T> Gamma<T>::log_densities_inside(const Var<T>& x) const {
  Tape<T>& tape = x.tape();
  const Var<T> u = x * tape.input(factor_);
  const Var<T> power = xlogy(this->leaf(tape, 0) - T(1), u);
  return tape.input(log_density_) + power - (u - tape.input(origin_)) * tape.input(weight_);
}

template <class T>
std::optional<double> Gamma<T>::cdf_of(Index column, double x, Tail tail) const {
  return special::gamma_cdf(this->setting(0, column), this->setting(1, column) * x, tail);
}

template <class T>
std::optional<double> Gamma<T>::quantile_of(Index column, double p, Tail tail) const {
  return special::gamma_quantile(this->setting(0, column), p, tail) / this->setting(1, column);
}

template <class T>
std::optional<double> Gamma<T>::mean_of(Index column) const {
  return this->setting(0, column) / this->setting(1, column);
}

template <class T>
std::optional<double> Gamma<T>::variance_of(Index column) const {
  return this->setting(0, column) / this->setting(1, column) / this->setting(1, column);
}

template <class T>
std::optional<double> Gamma<T>::entropy_of(Index column) const {
  return special::gamma_entropy(this->setting(0, column)) - std::log(this->setting(1, column));
}

template <class T>
double Gamma<T>::draw(Index column, const RandomKey& random, std::uint64_t number) const {
  return std::exp(draw_log_gamma(this->setting(0, column), random, number)) /
         this->setting(1, column);
}

template class Gamma<float>;
template class Gamma<double>;

}  // namespace fjord::flows
