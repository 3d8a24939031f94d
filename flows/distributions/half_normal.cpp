#include "fjord/flows/distributions/half_normal.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/flows/distributions/special.hpp"

namespace fjord::flows {

template <class T>
HalfNormal<T>::HalfNormal(std::vector<double> scale)
    : IndependentColumns<T>("half_normal",
                            {{"scale", IndependentColumns<T>::Range::positive, std::move(scale)}}) {
  this->set_support([](Index) { return std::pair(0.0, std::numeric_limits<double>::infinity()); });
  log_normaliser_ = this->columns([this](Index column) {
    return 0.5 * std::log(2 / std::numbers::pi) - std::log(this->setting(0, column));
  });
}

template <class T>
Var<T> HalfNormal<T>::log_densities_inside(const Var<T>& x) const {
  return x.tape().input(log_normaliser_) - square(x / this->leaf(x.tape(), 0)) * T(0.5);
}

template <class T>
std::optional<double> HalfNormal<T>::cdf_of(Index column, double x, Tail tail) const {
  const double z = x / this->setting(0, column) / std::numbers::sqrt2;
  return tail == Tail::lower ? std::erf(z) : std::erfc(z);
}

template <class T>
std::optional<double> HalfNormal<T>::quantile_of(Index column, double p, Tail tail) const {
  const special::TailProbability at = special::smaller_tail(p, tail);
  if (at.tail == Tail::lower)
    return this->setting(0, column) * std::numbers::sqrt2 * special::erfinv(at.p);
  return -this->setting(0, column) * special::normal_quantile(at.p / 2);
}

template <class T>
std::optional<double> HalfNormal<T>::mean_of(Index column) const {
  return this->setting(0, column) * std::sqrt(2 / std::numbers::pi);
}

template <class T>
std::optional<double> HalfNormal<T>::variance_of(Index column) const {
  return this->setting(0, column) * this->setting(0, column) * (1 - 2 / std::numbers::pi);
}

template <class T>
std::optional<double> HalfNormal<T>::entropy_of(Index column) const {
  return 0.5 * std::log(std::numbers::pi / 2) + std::log(this->setting(0, column)) + 0.5;
}

template <class T>
double HalfNormal<T>::draw(Index column, const RandomKey& random, std::uint64_t number) const {
  double normal = 0;
  random.normal(std::span<double>(&normal, 1), number);
  return this->setting(0, column) * std::abs(normal);
}

template class HalfNormal<float>;
template class HalfNormal<double>;

}  // namespace fjord::flows
