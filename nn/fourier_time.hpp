/// The time as columns for networks.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord::nn {

/// The time itself, or its cosines and sines: cos(pi k t), then sin(pi k t), for k = 1, 2, ..., K.
///
/// Source:  the time embedding of zuko's FFJTransform (zuko/flows/continuous.py).
template <class T>
class FourierTime final {
 public:
  /// Errors:  std::invalid_argument if the number K of frequencies is negative; 0 is the time.
  explicit FourierTime(Index frequencies);

  /// The number of columns: 1 or 2 K.
  Index width() const { return angular_.size() == 0 ? 1 : 2 * angular_.size(); }

  /// Shapes:  t a scalar or [B, 1]; result [1, width] or [B, width].
  /// Note:    The tape refers to this object.
  Var<T> forward(const Var<T>& t) const;

 private:
  Tensor<T> angular_;  // [1, K]
};

extern template class FourierTime<float>;
extern template class FourierTime<double>;

}  // namespace fjord::nn
