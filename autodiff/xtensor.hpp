/// xtensor's containers and expressions as Fjord's tensors, and back.
#pragma once

#include <concepts>
#include <vector>

#include "fjord/autodiff/kernels/xt.hpp"
#include "fjord/autodiff/tensor.hpp"

namespace fjord {

/// Expression of xtensor, lazy or not, whose entries a Tensor can hold.
template <class E>
concept XtensorExpression =
    std::same_as<typename E::value_type, float> || std::same_as<typename E::value_type, double>;

/// The above, with its entries in memory: a container, an adaptor, or a strided view of one.
template <class E>
concept XtensorContainer =
    XtensorExpression<E> && xt::has_data_interface<E>::value && xt::has_strides<E>::value;

/// Copies a tensor into an xtensor container of the same shape and storage order.
template <class T>
xt::xarray<T, xt::layout_type::column_major> to_xtensor(const TensorView<T>& view) {
  using Array = xt::xarray<T, xt::layout_type::column_major>;
  Array result =
      Array::from_shape(std::vector<std::size_t>(view.shape().begin(), view.shape().end()));
  view.copy_to(result.data(), Order::column_major);
  return result;
}

template <class T>
xt::xarray<T, xt::layout_type::column_major> to_xtensor(const Tensor<T>& tensor) {
  return to_xtensor(TensorView<T>(tensor));
}

/// Views a container's entries in place, whatever its strides.
///
/// Errors:  std::invalid_argument if it has more than Shape::max_rank axes.
/// Note:    The container must outlive the view; a temporary does not compile.
template <XtensorContainer E>
TensorView<typename E::value_type> view_of(const xt::xexpression<E>& container) {
  const E& array = container.derived_cast();
  const std::vector<Index> sizes(array.shape().begin(), array.shape().end());
  const std::vector<Index> strides(array.strides().begin(), array.strides().end());
  return {array.data() + array.data_offset(), Shape(sizes), strides};
}

/// Whether a container has numbers of its own: those that adaptors and views show belong to others.
template <class E>
inline constexpr bool owns_numbers = false;
template <class Storage, xt::layout_type L, class Shape, class Tag>
inline constexpr bool owns_numbers<xt::xarray_container<Storage, L, Shape, Tag>> = true;
template <class Storage, std::size_t N, xt::layout_type L, class Tag>
inline constexpr bool owns_numbers<xt::xtensor_container<Storage, N, L, Tag>> = true;
template <class Storage, class Shape, xt::layout_type L, bool S, class Tag>
inline constexpr bool owns_numbers<xt::xfixed_container<Storage, Shape, L, S, Tag>> = true;

template <XtensorContainer E>

requires(owns_numbers<E>) TensorView<typename E::value_type> view_of(const E&&)
= delete;

/// Evaluates an expression into a tensor.
///
/// Errors:  std::invalid_argument if it has more than Shape::max_rank axes.
template <XtensorExpression E>
Tensor<typename E::value_type> from_xtensor(const xt::xexpression<E>& expression) {
  xt::xarray<typename E::value_type, xt::layout_type::column_major> values;
  values = expression.derived_cast();
  return Tensor<typename E::value_type>(view_of(values));
}

}  // namespace fjord
