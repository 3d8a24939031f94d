#include "fjord/flows/distributions/logistic.hpp"

#include <cmath>
#include <numbers>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"

namespace fjord::flows {

template <class T>
Logistic<T>::Logistic(std::vector<double> location, std::vector<double> scale)
    : IndependentColumns<T>(
          "logistic", {{"location", IndependentColumns<T>::Range::finite, std::move(location)},
                       {"scale", IndependentColumns<T>::Range::positive, std::move(scale)}}) {
  log_normaliser_ =
      this->columns([this](Index column) { return -std::log(this->setting(1, column)); });
}

template <class T>
Var<T> Logistic<T>::log_densities_inside(const Var<T>& x) const {
  const Var<T> z = (x - this->leaf(x.tape(), 0)) / this->leaf(x.tape(), 1);
  return x.tape().input(log_normaliser_) - (softplus(z) + softplus(-z));
}

template <class T>
std::optional<double> Logistic<T>::cdf_of(Index column, double x, Tail tail) const {
  const double z = (x - this->setting(0, column)) / this->setting(1, column);
  const double toward = tail == Tail::lower ? z : -z;
  const double e = std::exp(-std::abs(toward));
  return (toward < 0 ? e : 1) / (1 + e);
}

template <class T>
std::optional<double> Logistic<T>::quantile_of(Index column, double p, Tail tail) const {
  const double z = std::log(p) - std::log1p(-p);
  return this->setting(0, column) + this->setting(1, column) * (tail == Tail::lower ? z : -z);
}

template <class T>
std::optional<double> Logistic<T>::mean_of(Index column) const {
  return this->setting(0, column);
}

template <class T>
std::optional<double> Logistic<T>::variance_of(Index column) const {
  return std::pow(std::numbers::pi * this->setting(1, column), 2) / 3;
}

template <class T>
std::optional<double> Logistic<T>::entropy_of(Index column) const {
  return std::log(this->setting(1, column)) + 2;
}

template class Logistic<float>;
template class Logistic<double>;

}  // namespace fjord::flows
