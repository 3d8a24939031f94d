/// Entries in order of size along one axis, which counts from the end if negative.
///
/// The order is stable, and NaN comes last, as in numpy. Derivatives are those of the permutation:
/// of equal entries, each has its own place.
/// Errors:  std::invalid_argument if the axis does not exist.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// The entries from the smallest on.
template <class T>
Var<T> sort(const Var<T>& x, Index axis = -1);
/// The places in x of the entries of `sort`.
///
/// Note:    The places are kept in the tape and end with its nodes: Tensor<Index>(argsort(x)) is a
///          copy.
template <class T>
TensorView<Index> argsort(const Var<T>& x, Index axis = -1);
/// The middle entry of all; of an even number, the mean of the two in the middle. NaN if any is.
///
/// Errors:  std::invalid_argument if there are no entries to choose from.
template <class T>
Var<T> median(const Var<T>& x);
/// The median along one axis.
///
/// Shapes:  the axis becomes 1 with keep_dims and vanishes without.
template <class T>
Var<T> median(const Var<T>& x, Index axis, bool keep_dims = false);

}  // namespace fjord
