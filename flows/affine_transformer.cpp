#include "fjord/flows/affine_transformer.hpp"

#include <cmath>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::flows {
namespace {

// The first or the second parameter of all columns.
template <class T>
Var<T> half(const Var<T>& parameters, Index which) {
  const Index dim = parameters.shape()[1] / 2;
  return slice(parameters, 1, which * dim, (which + 1) * dim);
}

}  // namespace

template <class T>
WithLogSlope<T> AdditiveTransformer<T>::apply(const Var<T>& x, const Var<T>& parameters) const {
  return {x + parameters, zeros_like(x)};
}

template <class T>
WithLogSlope<T> AdditiveTransformer<T>::invert(const Var<T>& y, const Var<T>& parameters) const {
  return {y - parameters, zeros_like(y)};
}

template <class T>
nn::Description<T> AdditiveTransformer<T>::describe() {
  return nn::Description<T>("additive_transformer");
}

template <class T>
AffineTransformer<T>::AffineTransformer(double bound) : bound_(bound) {
  const T in_t = static_cast<T>(bound);
  require(in_t > 0 && std::isfinite(in_t), "affine",
          [&] { return "a positive, finite bound is needed, got " + ode::short_number(bound); });
}

template <class T>
Var<T> AffineTransformer<T>::log_scale(const Var<T>& parameters) const {
  const T bound = static_cast<T>(bound_);
  return tanh(half(parameters, 1) / bound) * bound;
}

template <class T>
WithLogSlope<T> AffineTransformer<T>::apply(const Var<T>& x, const Var<T>& parameters) const {
  const Var<T> log_slope = log_scale(parameters);
  return {x * exp(log_slope) + half(parameters, 0), log_slope};
}

template <class T>
WithLogSlope<T> AffineTransformer<T>::invert(const Var<T>& y, const Var<T>& parameters) const {
  const Var<T> log_slope = -log_scale(parameters);
  return {(y - half(parameters, 0)) * exp(log_slope), log_slope};
}

template <class T>
nn::Description<T> AffineTransformer<T>::describe() {
  return nn::Description<T>("affine_transformer").set("bound", bound_);
}

template class AdditiveTransformer<float>;
template class AdditiveTransformer<double>;
template class AffineTransformer<float>;
template class AffineTransformer<double>;

}  // namespace fjord::flows
