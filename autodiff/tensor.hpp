/// Tensors: arrays of numbers with value semantics, and views of memory that others own.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fjord/autodiff/shape.hpp"

namespace fjord {

/// Read-only view of numbers that somebody else owns: a pointer, a shape, and strides in entries.
///
/// Note:    The memory must outlive the view and everything that reads it in place.
template <class T>
class TensorView final {
 public:
  TensorView() = default;
  /// Views `data` as contiguous numbers in the given order.
  TensorView(const T* data, const Shape& shape, Order order = Order::c);
  /// Views memory with any strides, counted in entries.
  ///
  /// Errors:  std::invalid_argument if there is not one stride for each axis.
  TensorView(const T* data, const Shape& shape, std::span<const Index> strides);

  const T* data() const { return data_; }

  const Shape& shape() const { return shape_; }

  Index stride(std::size_t axis) const { return strides_[axis]; }

  /// Whether the entries lie one after another, first axis fastest: the layout that is read in
  /// place.
  bool is_column_major() const;
  /// Copies all entries to `out`, which has room for shape().size() of them.
  void copy_to(T* out, Order order) const;
  /// The entry of a view of size 1.
  T item() const;

  /// The entry at `indices`, one for each axis.
  template <class... I>
  T operator()(I... indices) const {
    std::size_t axis = 0;
    Index offset = 0;
    ((offset += static_cast<Index>(indices) * strides_[axis++]), ...);
    return data_[offset];
  }

 private:
  const T* data_ = nullptr;
  Shape shape_{0};
  std::array<Index, Shape::max_rank> strides_{};
};

/// Numbers in nested braces: {{1, 2}, {3, 4}}.
template <class T>
struct Nested final {
  Nested(T number) : value(number) {}  // NOLINT(google-explicit-constructor): written as a literal

  Nested(std::initializer_list<Nested> list) : items(list), is_list(true) {}

  T value{};
  std::vector<Nested> items;
  bool is_list = false;
};

/// Array of numbers with value semantics, stored column-major (the batch axis, 0, is contiguous).
///
/// Shapes:  any, up to Shape::max_rank axes; empty tensors and scalars (rank 0) are ordinary.
/// Note:    T is float, double, or Index for places along an axis. A tensor that was moved from is
///          empty, of shape [0]. Views, spans and pointers of a temporary do not compile: name it.
template <class T>
class Tensor final {
 public:
  /// A scalar 0.
  Tensor() : values_(1) {}

  /// A scalar, rank 0.
  Tensor(T value) : values_(1, value) {}

  /// Nested braces, all of equal depth and length: Tensor<double>{{1, 2}, {3, 4}} has shape [2, 2].
  ///
  /// Errors:  std::invalid_argument if the braces are ragged.
  Tensor(std::initializer_list<Nested<T>> rows);
  /// Copies the viewed numbers.
  explicit Tensor(const TensorView<T>& view);
  Tensor(const Tensor&) = default;
  Tensor& operator=(const Tensor&) = default;

  Tensor(Tensor&& other) noexcept
      : shape_(std::exchange(other.shape_, Shape{0})), values_(std::exchange(other.values_, {})) {}

  Tensor& operator=(Tensor&& other) noexcept {
    shape_ = std::exchange(other.shape_, Shape{0});
    values_ = std::exchange(other.values_, {});
    return *this;
  }

  static Tensor full(const Shape& shape, T value);

  static Tensor zeros(const Shape& shape) { return full(shape, T(0)); }

  static Tensor ones(const Shape& shape) { return full(shape, T(1)); }

  /// The identity matrix [n, n].
  static Tensor identity(Index n);
  /// Takes `values` in the given order.
  ///
  /// Errors:  std::invalid_argument if their number is not shape.size().
  static Tensor from(const Shape& shape, std::span<const T> values, Order order = Order::c);

  const Shape& shape() const { return shape_; }

  Index size() const { return static_cast<Index>(values_.size()); }

  T* data() & { return values_.data(); }

  const T* data() const& { return values_.data(); }

  const T* data() const&& = delete;

  /// The stored numbers, column-major.
  std::span<T> storage() & { return values_; }

  std::span<const T> storage() const& { return values_; }

  std::span<const T> storage() const&& = delete;

  operator TensorView<T>() const& { return TensorView<T>(data(), shape_, Order::column_major); }

  operator TensorView<T>() const&& = delete;

  /// The entry of a tensor of size 1.
  ///
  /// Errors:  std::invalid_argument if the size is not 1.
  T item() const { return TensorView<T>(*this).item(); }

  std::vector<T> to_vector(Order order = Order::c) const;
  /// The same numbers, in the order C, in another shape.
  ///
  /// Errors:  std::invalid_argument if the sizes differ.
  Tensor reshaped(const Shape& shape) const;

  /// The same numbers in another precision.
  template <class U>
  Tensor<U> as() const {
    Tensor<U> result = Tensor<U>::zeros(shape_);
    std::transform(values_.begin(), values_.end(), result.data(),
                   [](T v) { return static_cast<U>(v); });
    return result;
  }

  /// The entry at `indices`, one for each axis.
  template <class... I>
  T operator()(I... indices) const {
    return values_[offset({static_cast<Index>(indices)...})];
  }

  template <class... I>
  T& operator()(I... indices) {
    return values_[offset({static_cast<Index>(indices)...})];
  }

  friend bool operator==(const Tensor& a, const Tensor& b) {
    return a.shape_ == b.shape_ && a.values_ == b.values_;
  }

 private:
  std::size_t offset(std::initializer_list<Index> indices) const;

  Shape shape_;
  std::vector<T> values_;
};

/// Text such as "[[1, 2], [3, 4]]".
template <class T>
std::string to_string(const TensorView<T>& tensor);

extern template class TensorView<Index>;
extern template class TensorView<float>;
extern template class TensorView<double>;
extern template class Tensor<Index>;
extern template class Tensor<float>;
extern template class Tensor<double>;

}  // namespace fjord
