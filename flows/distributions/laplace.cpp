#include "fjord/flows/distributions/laplace.hpp"

#include <cmath>
#include <numbers>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/rounding.hpp"

namespace fjord::flows {

template <class T>
Laplace<T>::Laplace(std::vector<double> location, std::vector<double> scale)
    : IndependentColumns<T>(
          "laplace", {{"location", IndependentColumns<T>::Range::finite, std::move(location)},
                      {"scale", IndependentColumns<T>::Range::positive, std::move(scale)}}) {
  log_normaliser_ =
      this->columns([this](Index column) { return -std::log(2 * this->setting(1, column)); });
}

template <class T>
Var<T> Laplace<T>::log_densities_inside(const Var<T>& x) const {
  const Var<T> z = (x - this->leaf(x.tape(), 0)) / this->leaf(x.tape(), 1);
  return x.tape().input(log_normaliser_) - abs(z);
}

template <class T>
std::optional<double> Laplace<T>::cdf_of(Index column, double x, Tail tail) const {
  const double z = (x - this->setting(0, column)) / this->setting(1, column);
  const double toward = tail == Tail::lower ? z : -z;
  return toward < 0 ? 0.5 * std::exp(toward) : 1 - 0.5 * std::exp(-toward);
}

template <class T>
std::optional<double> Laplace<T>::quantile_of(Index column, double p, Tail tail) const {
  const double z = p < 0.5 ? std::log(2 * p) : -(std::numbers::ln2 + std::log1p(-p));
  return this->setting(0, column) + this->setting(1, column) * (tail == Tail::lower ? z : -z);
}

template <class T>
std::optional<double> Laplace<T>::mean_of(Index column) const {
  return this->setting(0, column);
}

template <class T>
std::optional<double> Laplace<T>::variance_of(Index column) const {
  return 2 * this->setting(1, column) * this->setting(1, column);
}

template <class T>
std::optional<double> Laplace<T>::entropy_of(Index column) const {
  return 1 + std::log(2 * this->setting(1, column));
}

template class Laplace<float>;
template class Laplace<double>;

}  // namespace fjord::flows
