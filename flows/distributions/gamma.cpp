#include "fjord/flows/distributions/gamma.hpp"

#include <cmath>
#include <limits>

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
  log_normaliser_ = this->columns([this](Index column) {
    const double a = this->setting(0, column);
    return a * std::log(this->setting(1, column)) - special::log_gamma(a);
  });
}

template <class T>
Var<T> Gamma<T>::log_densities_inside(const Var<T>& x) const {
  Tape<T>& tape = x.tape();
  const Var<T> power = xlogy(this->leaf(tape, 0) - T(1), x);
  return tape.input(log_normaliser_) + power - x * this->leaf(tape, 1);
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
