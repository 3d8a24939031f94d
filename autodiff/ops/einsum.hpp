/// Sums of products over named axes.
#pragma once

#include <string_view>

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// The sum of products of two operands that the subscripts describe, as numpy.einsum with an arrow:
/// einsum("ij,jk->ik", a, b) is a matrix product, and einsum("nij,nj->ni", a, b) one for every n.
///
/// An axis that the result does not name is summed over.
/// Shapes:  one letter for each axis of a, of b and of the result; axes of one letter have one size.
/// Errors:  std::invalid_argument if the subscripts have another form, such as "..." or a letter
///          twice in one place, name an axis that no operand has, or do not fit the shapes.
/// Note:    Becomes one matrix product, or one for each entry of the axes that all three name.
///          Operands that name their axes in the order shared, own, summed (a) and shared, summed,
///          own (b) are not rearranged.
template <class T>
Var<T> einsum(std::string_view subscripts, const Var<T>& a, const Var<T>& b);

/// The inner products along the last axis of a and the second-last of b, or its only one, as
/// numpy.dot: for vectors a number, for matrices their product; with a scalar, the product.
///
/// Shapes:  a [..., k] and b [..., k, n]: all leading axes of a, then all of b but that one.
/// Errors:  std::invalid_argument if the shapes are others.
template <class T>
Var<T> dot(const Var<T>& a, const Var<T>& b);

}  // namespace fjord
