#include "fjord/flows/distributions/exponential.hpp"

#include <cmath>
#include <limits>

#include "fjord/autodiff/ops/elementwise.hpp"

namespace fjord::flows {

template <class T>
Exponential<T>::Exponential(std::vector<double> rate)
    : IndependentColumns<T>("exponential",
                            {{"rate", IndependentColumns<T>::Range::positive, std::move(rate)}}) {
  this->set_support([](Index) { return std::pair(0.0, std::numeric_limits<double>::infinity()); });
  log_normaliser_ =
      this->columns([this](Index column) { return std::log(this->setting(0, column)); });
}

template <class T>
Var<T> Exponential<T>::log_densities_inside(const Var<T>& x) const {
  return x.tape().input(log_normaliser_) - x * this->leaf(x.tape(), 0);
}

template <class T>
std::optional<double> Exponential<T>::cdf_of(Index column, double x, Tail tail) const {
  const double power = this->setting(0, column) * x;
  return tail == Tail::lower ? -std::expm1(-power) : std::exp(-power);
}

template <class T>
std::optional<double> Exponential<T>::quantile_of(Index column, double p, Tail tail) const {
  return -(tail == Tail::lower ? std::log1p(-p) : std::log(p)) / this->setting(0, column);
}

template <class T>
std::optional<double> Exponential<T>::mean_of(Index column) const {
  return 1 / this->setting(0, column);
}

template <class T>
std::optional<double> Exponential<T>::variance_of(Index column) const {
  return 1 / this->setting(0, column) / this->setting(0, column);
}

template <class T>
std::optional<double> Exponential<T>::entropy_of(Index column) const {
  return 1 - std::log(this->setting(0, column));
}

template class Exponential<float>;
template class Exponential<double>;

}  // namespace fjord::flows
