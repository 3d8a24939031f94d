#include "fjord/flows/distributions/cauchy.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/flows/distributions/special.hpp"

namespace fjord::flows {

template <class T>
Cauchy<T>::Cauchy(std::vector<double> location, std::vector<double> scale)
    : IndependentColumns<T>(
          "cauchy", {{"location", IndependentColumns<T>::Range::finite, std::move(location)},
                     {"scale", IndependentColumns<T>::Range::positive, std::move(scale)}}) {
  log_normaliser_ = this->columns(
      [this](Index column) { return -std::log(std::numbers::pi * this->setting(1, column)); });
  log_scale_ = this->columns([this](Index column) { return std::log(this->setting(1, column)); });
}

template <class T>
Var<T> Cauchy<T>::log_densities_inside(const Var<T>& x) const {
  Tape<T>& tape = x.tape();
  const Var<T> d = x - this->leaf(tape, 0);
  const Var<T> z = d / this->leaf(tape, 1);
  return tape.input(log_normaliser_) - special::log1p_square(d, z, tape.input(log_scale_));
}

template <class T>
std::optional<double> Cauchy<T>::cdf_of(Index column, double x, Tail tail) const {
  const double z = (x - this->setting(0, column)) / this->setting(1, column);
  const double toward = tail == Tail::lower ? z : -z;
  return std::atan2(1.0, -toward) / std::numbers::pi;
}

template <class T>
std::optional<double> Cauchy<T>::quantile_of(Index column, double p, Tail tail) const {
  const double nearer = std::min(p, 1 - p);
  const double size = nearer < 0.25 ? 1 / std::tan(std::numbers::pi * nearer)
                                    : std::tan(std::numbers::pi * (0.5 - nearer));
  const double z = p < 0.5 ? -size : size;
  return this->setting(0, column) + this->setting(1, column) * (tail == Tail::lower ? z : -z);
}

template <class T>
std::optional<double> Cauchy<T>::entropy_of(Index column) const {
  return std::log(4 * std::numbers::pi * this->setting(1, column));
}

template class Cauchy<float>;
template class Cauchy<double>;

}  // namespace fjord::flows
