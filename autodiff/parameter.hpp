/// Parameters: the numbers that training changes.
#pragma once

#include <memory>

#include "fjord/autodiff/tensor.hpp"

namespace fjord {

/// A tensor that tapes read in place and an optimiser changes.
///
/// Note:    Gradients live outside. Tapes read its memory, so a parameter is neither copied
///          nor moved.
template <class T>
class Parameter final {
 public:
  explicit Parameter(Tensor<T> value) : value_(std::move(value)) {}

  Parameter(const Parameter&) = delete;
  Parameter& operator=(const Parameter&) = delete;

  const Tensor<T>& value() const& { return value_; }

  const Tensor<T>& value() const&& = delete;

  /// The numbers, to be changed.
  ///
  /// Errors:  std::invalid_argument while a tape holds the parameter: its nodes read these numbers.
  std::span<T> mutable_values() &;

  /// What a tape keeps while it reads the parameter; it tells this parameter from every other, also
  /// after its end.
  const std::shared_ptr<const void>& token() const { return token_; }

 private:
  Tensor<T> value_;
  std::shared_ptr<const void> token_ = std::make_shared<char>();
};

extern template class Parameter<float>;
extern template class Parameter<double>;

}  // namespace fjord
