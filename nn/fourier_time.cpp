#include "fjord/nn/fourier_time.hpp"

#include <numbers>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord::nn {
namespace {

Index checked(Index frequencies) {
  require(frequencies >= 0, "fourier_time", [&] {
    return "the number of frequencies must not be negative, got " + std::to_string(frequencies);
  });
  return frequencies;
}

}  // namespace

template <class T>
FourierTime<T>::FourierTime(Index frequencies)
    : angular_(Tensor<T>::zeros({1, checked(frequencies)})) {
  for (Index k = 0; k < frequencies; ++k)
    angular_(0, k) = static_cast<T>(std::numbers::pi * static_cast<double>(k + 1));
}

template <class T>
Var<T> FourierTime<T>::forward(const Var<T>& t) const {
  const Var<T> column = reshape(t, {t.shape().size(), 1});
  if (angular_.size() == 0) return column;
  const Var<T> angles = column * t.tape().borrow(angular_);
  return concatenate<T>({cos(angles), sin(angles)}, 1);
}

template class FourierTime<float>;
template class FourierTime<double>;

}  // namespace fjord::nn
