#include "fjord/flows/distributions/von_mises.hpp"

#include <cmath>
#include <numbers>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/flows/distributions/draws.hpp"
#include "fjord/flows/distributions/rounded_leaf.hpp"
#include "fjord/flows/distributions/special.hpp"

namespace fjord::flows {

template <class T>
VonMises<T>::VonMises(std::vector<double> location, std::vector<double> concentration)
    : IndependentColumns<T>(
          "von_mises",
          {{"location", IndependentColumns<T>::Range::finite, std::move(location)},
           {"concentration", IndependentColumns<T>::Range::positive, std::move(concentration)}}) {
  this->set_support([](Index) { return std::pair(-std::numbers::pi, std::numbers::pi); });
  for (Index d = 0; d < this->dim(); ++d) {
    const double at = this->setting(0, d);
    const bool is_turned = std::abs(at) > std::numbers::pi;
    center_.push_back(is_turned ? std::atan2(std::sin(at), std::cos(at)) : at);
  }
  log_normaliser_ = this->columns([this](Index column) {
    return -std::log(2 * std::numbers::pi * special::scaled_bessel(this->setting(1, column)).i0);
  });
}

template <class T>
Var<T> VonMises<T>::log_densities_inside(const Var<T>& x) const {
  Tape<T>& tape = x.tape();
  const Var<T> half = sin((x - rounded_leaf<T>(tape, {this->dim()}, center_)) * T(0.5));
  return tape.input(log_normaliser_) - this->leaf(tape, 1) * square(half) * T(2);
}

template <class T>
std::optional<double> VonMises<T>::mean_of(Index column) const {
  if (this->setting(0, column) != 0) return std::nullopt;
  return 0;
}

template <class T>
std::optional<double> VonMises<T>::entropy_of(Index column) const {
  const special::ScaledBessel bessel = special::scaled_bessel(this->setting(1, column));
  return std::log(2 * std::numbers::pi * bessel.i0) +
         this->setting(1, column) * bessel.i0_less_i1 / bessel.i0;
}

template <class T>
double VonMises<T>::draw(Index column, const RandomKey& random, std::uint64_t number) const {
  return std::remainder(center_[static_cast<std::size_t>(column)] +
                            draw_von_mises(this->setting(1, column), random, number),
                        2 * std::numbers::pi);
}

template class VonMises<float>;
template class VonMises<double>;

}  // namespace fjord::flows
