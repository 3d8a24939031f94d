/// Parameters: the numbers that training changes.
#pragma once

#include <atomic>

#include "fjord/autodiff/tensor.hpp"

namespace fjord {

/// A tensor that tapes read in place and an optimiser changes.
///
/// Note:    Gradients live outside. The address is the identity, so a parameter is neither copied
///          nor moved.
template <class T>
class Parameter final {
 public:
  explicit Parameter(Tensor<T> value) : value_(std::move(value)) {}

  Parameter(const Parameter&) = delete;
  Parameter& operator=(const Parameter&) = delete;

  const Tensor<T>& value() const { return value_; }

  /// The numbers, to be changed.
  ///
  /// Errors:  std::invalid_argument while a tape holds the parameter: its nodes read these numbers.
  std::span<T> mutable_values();

  // Called by tapes as they bind the parameter and let it go.
  void hold() const { holders_.fetch_add(1, std::memory_order_relaxed); }

  void release() const { holders_.fetch_sub(1, std::memory_order_release); }

 private:
  Tensor<T> value_;
  mutable std::atomic<int> holders_ = 0;
};

extern template class Parameter<float>;
extern template class Parameter<double>;

}  // namespace fjord
