#include "fjord/flows/elementwise_maps.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/hyperbolic.hpp"
#include "fjord/autodiff/ops/power.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::flows {
namespace {

// The inverse of softplus, log(e^y - 1).
template <class T>
Var<T> softplus_back(const Var<T>& y) {
  return y + log1mexp(y);
}

template <class T>
void check_interval(double low, double high, const char* op) {
  const T width = static_cast<T>(high) - static_cast<T>(low);
  require(std::isfinite(width) && width > 0, op, [&] {
    return "an interval with low < high is needed, got " + ode::short_number(low) + " and " +
           ode::short_number(high);
  });
}

// No negative number has a power here.
template <class T>
Var<T> power_of(const Var<T>& x, T exponent) {
  return where(x < T(0), std::numeric_limits<T>::quiet_NaN(), pow(x, exponent));
}

}  // namespace

template <class T>
Var<T> Exp<T>::map(const Var<T>& x) const {
  return exp(x);
}

template <class T>
Var<T> Exp<T>::map_back(const Var<T>& y) const {
  return log(y);
}

template <class T>
Var<T> Exp<T>::log_slope(const Var<T>& x) const {
  return x;
}

template <class T>
nn::Description<T> Exp<T>::describe() {
  return nn::Description<T>("exp");
}

template <class T>
Var<T> Softplus<T>::map(const Var<T>& x) const {
  return softplus(x);
}

template <class T>
Var<T> Softplus<T>::map_back(const Var<T>& y) const {
  return softplus_back(y);
}

template <class T>
Var<T> Softplus<T>::log_slope(const Var<T>& x) const {
  return log_sigmoid(x);
}

template <class T>
nn::Description<T> Softplus<T>::describe() {
  return nn::Description<T>("softplus");
}

template <class T>
Var<T> Tanh<T>::map(const Var<T>& x) const {
  return tanh(x);
}

template <class T>
Var<T> Tanh<T>::map_back(const Var<T>& y) const {
  return atanh(y);
}

template <class T>
Var<T> Tanh<T>::log_slope(const Var<T>& x) const {
  // 1 - tanh(x)^2 = 4 / (e^x + e^-x)^2, without its cancellation.
  return (std::numbers::ln2_v<T> - x - softplus(x * T(-2))) * T(2);
}

template <class T>
nn::Description<T> Tanh<T>::describe() {
  return nn::Description<T>("tanh");
}

template <class T>
Sigmoid<T>::Sigmoid(double low, double high) : low_(low), high_(high) {
  check_interval<T>(low, high, "sigmoid");
}

template <class T>
Var<T> Sigmoid<T>::map(const Var<T>& x) const {
  const T low = static_cast<T>(low_);
  return sigmoid(x) * (static_cast<T>(high_) - low) + low;
}

template <class T>
Var<T> Sigmoid<T>::map_back(const Var<T>& y) const {
  return log(y - static_cast<T>(low_)) - log(static_cast<T>(high_) - y);
}

template <class T>
Var<T> Sigmoid<T>::log_slope(const Var<T>& x) const {
  const T log_width = std::log(static_cast<T>(high_) - static_cast<T>(low_));
  return log_sigmoid(x) * T(2) - x + log_width;
}

template <class T>
nn::Description<T> Sigmoid<T>::describe() {
  return nn::Description<T>("sigmoid").set("low", low_).set("high", high_);
}

template <class T>
Power<T>::Power(double exponent) : exponent_(exponent) {
  const T rounded = static_cast<T>(exponent);
  require(std::isfinite(rounded) && rounded != 0, "power", [&] {
    return "a finite exponent other than 0 is needed, got " + ode::short_number(exponent);
  });
}

template <class T>
Var<T> Power<T>::map(const Var<T>& x) const {
  return power_of(x, static_cast<T>(exponent_));
}

template <class T>
Var<T> Power<T>::map_back(const Var<T>& y) const {
  return power_of(y, T(1) / static_cast<T>(exponent_));
}

template <class T>
Var<T> Power<T>::log_slope(const Var<T>& x) const {
  const T exponent = static_cast<T>(exponent_);
  return log(x) * (exponent - 1) + std::log(std::abs(exponent));
}

template <class T>
nn::Description<T> Power<T>::describe() {
  return nn::Description<T>("power").set("exponent", exponent_);
}

template <class T>
SoftClip<T>::SoftClip(double low, double high, double hinge)
    : low_(low), high_(high), hinge_(hinge) {
  check_interval<T>(low, high, "soft_clip");
  const T rounded = static_cast<T>(hinge);
  require(std::isfinite(rounded) && rounded > 0, "soft_clip",
          [&] { return "a positive hinge is needed, got " + ode::short_number(hinge); });
}

template <class T>
T SoftClip<T>::stretch() const {
  const T width = (static_cast<T>(high_) - static_cast<T>(low_)) / static_cast<T>(hinge_);
  // softplus(width), which does not overflow for width > 0.
  return width / (width + std::log1p(std::exp(-width)));
}

template <class T>
Var<T> SoftClip<T>::map(const Var<T>& x) const {
  const T low = static_cast<T>(low_);
  const T high = static_cast<T>(high_);
  const T hinge = static_cast<T>(hinge_);
  const T width = (high - low) / hinge;
  const Var<T> u = (x - low) / hinge;
  // From the nearer end, whose distance is what keeps all digits.
  const Var<T> above_low = softplus(u) - log1p(exp(u - width) / (1 + std::exp(-width)));
  const Var<T> below_high = softplus(width - softplus(u));
  const T scale = stretch() * hinge;
  return where(u < width / 2, above_low * scale + low, high - below_high * scale);
}

template <class T>
Var<T> SoftClip<T>::map_back(const Var<T>& y) const {
  const T low = static_cast<T>(low_);
  const T scale = stretch() * static_cast<T>(hinge_);
  const Var<T> above_low = (y - low) / scale;
  const Var<T> below_high = (static_cast<T>(high_) - y) / scale;
  return (above_low + (log1mexp(above_low) - log1mexp(below_high))) * static_cast<T>(hinge_) + low;
}

template <class T>
Var<T> SoftClip<T>::log_slope(const Var<T>& x) const {
  const T hinge = static_cast<T>(hinge_);
  const Var<T> u = (x - static_cast<T>(low_)) / hinge;
  const T width = (static_cast<T>(high_) - static_cast<T>(low_)) / hinge;
  return log_sigmoid(u) + log_sigmoid(width - softplus(u)) + std::log(stretch());
}

template <class T>
nn::Description<T> SoftClip<T>::describe() {
  return nn::Description<T>("soft_clip").set("low", low_).set("high", high_).set("hinge", hinge_);
}

template class Exp<float>;
template class Exp<double>;
template class Softplus<float>;
template class Softplus<double>;
template class Tanh<float>;
template class Tanh<double>;
template class Sigmoid<float>;
template class Sigmoid<double>;
template class Power<float>;
template class Power<double>;
template class SoftClip<float>;
template class SoftClip<double>;

}  // namespace fjord::flows
