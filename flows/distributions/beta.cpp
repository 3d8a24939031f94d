#include "fjord/flows/distributions/beta.hpp"

#include <cmath>

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
  log_normaliser_ = this->columns([this](Index column) {
    return -special::log_beta(this->setting(0, column), this->setting(1, column)).value;
  });
}

template <class T>
Var<T> Beta<T>::log_densities_inside(const Var<T>& x) const {
  Tape<T>& tape = x.tape();
  return tape.input(log_normaliser_) + xlogy(this->leaf(tape, 0) - T(1), x) +
         xlog1py(this->leaf(tape, 1) - T(1), -x);
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
