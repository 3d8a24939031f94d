/// Inverses of residual maps.
#pragma once

#include <functional>

#include "fjord/autodiff/var.hpp"

namespace fjord::flows {

/// A map of rows.
template <class T>
using RowMap = std::function<Var<T>(const Var<T>&)>;

/// The x with x + g(x) = z, row by row, by x <- z - g(x); NaN where z or g is not finite, or where
/// this does not converge as fast as the Lipschitz constant of g says.
///
/// Its derivatives, in z and in all that g depends on, are right up to the third order.
/// Shapes:  z [B, D]; g of such rows the same, each row from its own; result as z.
/// Source:  Behrmann et al., Invertible residual networks, ICML 2019, algorithm 1.
/// Note:    `lipschitz` in (0, 1) is an upper bound of the constant.
template <class T>
Var<T> contraction_root(const RowMap<T>& g, const Var<T>& z, double lipschitz);

/// The transposed Jacobians of x + g(x) for rows x: entry i, j is the derivative of number j in
/// number i.
///
/// Shapes:  x, image [B, D], image = g(x); result [B, D, D].
template <class T>
Var<T> residual_jacobians(const Var<T>& x, const Var<T>& image);

}  // namespace fjord::flows
