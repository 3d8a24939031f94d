/// The matrix that Newton's method divides by in implicit steps.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "fjord/autodiff/var.hpp"

namespace fjord::ode {

/// 1 - a df/dy of a field f, as LU factors in plain memory that is used again.
template <class T>
class NewtonMatrix final {
 public:
  /// Writes f(y).
  using Slope = std::function<void(std::span<const T> y, std::span<T> slope)>;

  /// Takes the derivatives by forward differences from y, where f is `slope`, and factors.
  ///
  /// Errors:  returns false if the matrix is singular, or not finite.
  /// Note:    Calls f once for each entry of y. Factors take n^2 numbers and of the order of n^3
  ///          operations: for states of up to some hundred entries.
  bool assign(T a, std::span<const T> y, std::span<const T> slope, const Slope& f);

  /// Divides x by the matrix, or by its transpose.
  void divide(std::span<T> x) const;
  void divide_by_transpose(std::span<T> x) const;

 private:
  T* column(std::size_t j) { return factors_.data() + j * size_; }

  const T* column(std::size_t j) const { return factors_.data() + j * size_; }

  bool factor();

  std::size_t size_ = 0;
  std::vector<T> factors_;  // column-major, U above and L, whose diagonal is 1, below
  std::vector<std::size_t> pivots_;
  std::vector<T> moved_;
};

/// x divided by the matrix, which is a constant to sweeps.
///
/// Shapes:  x and the result of as many entries as the matrix has rows, of any shape.
template <class T>
Var<T> divide(const Var<T>& x, std::shared_ptr<const NewtonMatrix<T>> matrix);

}  // namespace fjord::ode
