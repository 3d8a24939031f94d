#include "fjord/flows/distributions/log_normal.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/flows/distributions/special.hpp"

namespace fjord::flows {

template <class T>
LogNormal<T>::LogNormal(std::vector<double> location, std::vector<double> scale)
    : IndependentColumns<T>(
          "log_normal", {{"location", IndependentColumns<T>::Range::finite, std::move(location)},
                         {"scale", IndependentColumns<T>::Range::positive, std::move(scale)}}) {
  // From the least positive number on.
  this->set_support([](Index) {
    return std::pair(static_cast<double>(std::numeric_limits<T>::denorm_min()),
                     std::numeric_limits<double>::infinity());
  });
  log_normaliser_ = this->columns([this](Index column) {
    return -std::log(this->setting(1, column)) - 0.5 * std::log(2 * std::numbers::pi);
  });
}

template <class T>
Var<T> LogNormal<T>::log_densities_inside(const Var<T>& x) const {
  const Var<T> y = log(x);
  const Var<T> z = (y - this->leaf(x.tape(), 0)) / this->leaf(x.tape(), 1);
  return x.tape().input(log_normaliser_) - square(z) * T(0.5) - y;
}

template <class T>
std::optional<double> LogNormal<T>::cdf_of(Index column, double x, Tail tail) const {
  const double z = (std::log(x) - this->setting(0, column)) / this->setting(1, column);
  return special::normal_cdf(tail == Tail::lower ? z : -z);
}

template <class T>
std::optional<double> LogNormal<T>::quantile_of(Index column, double p, Tail tail) const {
  const double z = special::normal_quantile(p);
  return std::exp(this->setting(0, column) +
                  this->setting(1, column) * (tail == Tail::lower ? z : -z));
}

template <class T>
std::optional<double> LogNormal<T>::mean_of(Index column) const {
  return std::exp(this->setting(0, column) +
                  0.5 * this->setting(1, column) * this->setting(1, column));
}

template <class T>
std::optional<double> LogNormal<T>::variance_of(Index column) const {
  const double square = this->setting(1, column) * this->setting(1, column);
  return std::expm1(square) * std::exp(2 * this->setting(0, column) + square);
}

template <class T>
std::optional<double> LogNormal<T>::entropy_of(Index column) const {
  return this->setting(0, column) + std::log(this->setting(1, column)) +
         0.5 * std::log(2 * std::numbers::pi * std::numbers::e);
}

template <class T>
double LogNormal<T>::draw(Index column, const RandomKey& random, std::uint64_t number) const {
  double normal = 0;
  random.normal(std::span<double>(&normal, 1), number);
  return std::exp(this->setting(0, column) + this->setting(1, column) * normal);
}

template class LogNormal<float>;
template class LogNormal<double>;

}  // namespace fjord::flows
