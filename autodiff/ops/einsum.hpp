/// Sums of products over named axes.
#pragma once

#include <span>
#include <string_view>

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// The sum of products of the operands that the subscripts describe, as numpy.einsum with an arrow:
/// einsum("ij,jk->ik", {a, b}) is a matrix product, einsum("nij,nj->ni", {a, b}) one for every n,
/// and einsum("...ij,...j->...i", {a, b}) one for all leading axes, broadcast.
///
/// An axis that the result does not name is summed over.
/// Shapes:  one letter for each axis of an operand and of the result; axes of one letter have one
///          size. "..." names the axes, none or more, that have no letter; they are broadcast.
/// Errors:  std::invalid_argument if the subscripts have another form, such as a letter twice in
///          one place or "..." in an operand but not in the result, name an axis that no operand
///          has, or do not fit the shapes.
/// Note:    The operands are contracted from left to right: their order decides the cost. Each
///          contraction is one matrix product, or one for each entry of the axes that both operands
///          and its result name. Operands that name their axes in the order shared, own, summed
///          (the left one) and shared, summed, own (the right one) are not rearranged.
template <class T>
Var<T> einsum(std::string_view subscripts, std::span<const Var<T>> operands);

template <class T>
Var<T> einsum(std::string_view subscripts, std::initializer_list<Var<T>> operands) {
  return einsum(subscripts, std::span<const Var<T>>(operands.begin(), operands.size()));
}

template <class T, class... Rest>
Var<T> einsum(std::string_view subscripts, const Var<T>& a, const Rest&... rest) {
  return einsum(subscripts, {a, rest...});
}

/// The inner products along the last axis of a and the second-last of b, or its only one, as
/// numpy.dot: for vectors a number, for matrices their product; with a scalar, the product.
///
/// Shapes:  a [..., k] and b [..., k, n]: all leading axes of a, then all of b but that one.
/// Errors:  std::invalid_argument if the shapes do not match.
template <class T>
Var<T> dot(const Var<T>& a, const Var<T>& b);

}  // namespace fjord
