#include "fjord/autodiff/tensor.hpp"

#include <cstdio>

#include "fjord/autodiff/errors.hpp"

namespace fjord {
namespace {

using Strides = std::array<Index, Shape::max_rank>;

Strides contiguous_strides(const Shape& shape, Order order) {
  Strides strides{};
  Index step = 1;
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    const std::size_t axis = order == Order::column_major ? i : shape.rank() - 1 - i;
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}

// Copies entries between two strided layouts of one shape, axis by axis from the last.
template <class T>
void copy_axes(const T* from, const Index* from_strides, T* to, const Index* to_strides,
               const Shape& shape, std::size_t axes) {
  if (axes == 0) {
    *to = *from;
    return;
  }
  const std::size_t axis = axes - 1;
  for (Index i = 0; i < shape[axis]; ++i) {
    if (axis == 0) {
      to[i * to_strides[0]] = from[i * from_strides[0]];
      continue;
    }
    copy_axes(from + i * from_strides[axis], from_strides, to + i * to_strides[axis], to_strides,
              shape, axis);
  }
}

template <class T>
void flatten(std::span<const Nested<T>> items, std::size_t depth, std::vector<Index>& sizes,
             std::vector<T>& values) {
  if (sizes.size() == depth) sizes.push_back(static_cast<Index>(items.size()));
  require(sizes[depth] == static_cast<Index>(items.size()), "tensor",
          "nested braces must not be ragged");
  for (const Nested<T>& item : items) {
    // Once a number was seen, the depth is known: numbers stand there and nowhere else.
    require(item.is_list ? values.empty() || depth + 1 < sizes.size() : depth + 1 == sizes.size(),
            "tensor", "nested braces must all have the same depth");
    if (item.is_list) {
      flatten<T>(item.items, depth + 1, sizes, values);
    } else {
      values.push_back(item.value);
    }
  }
}

}  // namespace

template <class T>
TensorView<T>::TensorView(const T* data, const Shape& shape, Order order)
    : data_(data), shape_(shape), strides_(contiguous_strides(shape, order)) {}

template <class T>
TensorView<T>::TensorView(const T* data, const Shape& shape, std::span<const Index> strides)
    : data_(data), shape_(shape) {
  require(strides.size() == shape.rank(), "tensor_view", [&] {
    return "one stride for each axis of " + to_string(shape) + " is needed, got " +
           std::to_string(strides.size());
  });
  std::copy(strides.begin(), strides.end(), strides_.begin());
}

template <class T>
bool TensorView<T>::is_column_major() const {
  const Strides dense = contiguous_strides(shape_, Order::column_major);
  for (std::size_t axis = 0; axis < shape_.rank(); ++axis) {
    if (shape_[axis] != 1 && strides_[axis] != dense[axis]) return shape_.size() == 0;
  }
  return true;
}

template <class T>
void TensorView<T>::copy_to(T* out, Order order) const {
  if (shape_.size() == 0) return;
  if (order == Order::column_major && is_column_major()) {
    std::copy_n(data_, shape_.size(), out);
    return;
  }
  const Strides strides = contiguous_strides(shape_, order);
  copy_axes(data_, strides_.data(), out, strides.data(), shape_, shape_.rank());
}

template <class T>
T TensorView<T>::item() const {
  require(shape_.size() == 1, "item",
          [&] { return "a tensor of size 1 is needed, got " + to_string(shape_); });
  return *data_;
}

template <class T>
Tensor<T>::Tensor(std::initializer_list<Nested<T>> rows) {
  std::vector<Index> sizes;
  flatten<T>(std::span(rows.begin(), rows.size()), 0, sizes, values_);
  *this = from(Shape(sizes), std::vector<T>(values_));
}

template <class T>
Tensor<T>::Tensor(const TensorView<T>& view)
    : shape_(view.shape()), values_(static_cast<std::size_t>(view.shape().size())) {
  view.copy_to(data(), Order::column_major);
}

template <class T>
Tensor<T> Tensor<T>::full(const Shape& shape, T value) {
  Tensor result;
  result.shape_ = shape;
  result.values_.assign(static_cast<std::size_t>(shape.size()), value);
  return result;
}

template <class T>
Tensor<T> Tensor<T>::identity(Index n) {
  Tensor result = zeros({n, n});
  for (Index i = 0; i < n; ++i) result(i, i) = T(1);
  return result;
}

template <class T>
Tensor<T> Tensor<T>::from(const Shape& shape, std::span<const T> values, Order order) {
  require(static_cast<Index>(values.size()) == shape.size(), "tensor", [&] {
    return "shape " + to_string(shape) + " needs " + std::to_string(shape.size()) +
           " numbers, got " + std::to_string(values.size());
  });
  return Tensor(TensorView<T>(values.data(), shape, order));
}

template <class T>
std::vector<T> Tensor<T>::to_vector(Order order) const {
  std::vector<T> result(values_.size());
  TensorView<T>(*this).copy_to(result.data(), order);
  return result;
}

template <class T>
Tensor<T> Tensor<T>::reshaped(const Shape& shape) const {
  return from(shape, to_vector());
}

template <class T>
std::size_t Tensor<T>::offset(std::initializer_list<Index> indices) const {
  require(indices.size() == shape_.rank(), "tensor", [&] {
    return "an entry of shape " + to_string(shape_) + " needs one index for each axis, got " +
           std::to_string(indices.size());
  });
  Index offset = 0;
  Index step = 1;
  for (std::size_t axis = 0; axis < shape_.rank(); ++axis) {
    const Index i = indices.begin()[axis];
    require(0 <= i && i < shape_[axis], "tensor", [&] {
      return "index " + std::to_string(i) + " is outside axis " + std::to_string(axis) +
             " of shape " + to_string(shape_);
    });
    offset += i * step;
    step *= shape_[axis];
  }
  return static_cast<std::size_t>(offset);
}

template <class T>
std::string to_string(const TensorView<T>& tensor) {
  std::vector<T> values(static_cast<std::size_t>(tensor.shape().size()));
  tensor.copy_to(values.data(), Order::c);
  std::size_t next = 0;
  const auto print = [&](const auto& self, std::size_t axis) -> std::string {
    if (axis == tensor.shape().rank()) {
      std::array<char, 32> text{};
      std::snprintf(text.data(), text.size(), "%g", static_cast<double>(values[next++]));
      return text.data();
    }
    std::string text = "[";
    for (Index i = 0; i < tensor.shape()[axis]; ++i)
      text += (i == 0 ? "" : ", ") + self(self, axis + 1);
    return text + "]";
  };
  return print(print, 0);
}

template std::string to_string(const TensorView<Index>&);
template std::string to_string(const TensorView<float>&);
template std::string to_string(const TensorView<double>&);
template class TensorView<Index>;
template class TensorView<float>;
template class TensorView<double>;
template class Tensor<Index>;
template class Tensor<float>;
template class Tensor<double>;

}  // namespace fjord
