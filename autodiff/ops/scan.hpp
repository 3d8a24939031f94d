/// Running sums and products along one axis, which counts from the end if negative.
///
/// Shapes:  of the result, x's.
/// Errors:  std::invalid_argument if the axis does not exist.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// Entry j is the sum of the entries up to and including j.
template <class T>
Var<T> cumsum(const Var<T>& x, Index axis);
/// Entry j is the product of the entries up to and including j; derivatives are right at zeros,
/// too.
template <class T>
Var<T> cumprod(const Var<T>& x, Index axis);
/// Entry j is log(sum(exp(x))) of the entries up to and including j.
///
/// Large entries do not overflow. An entry of -inf has weight 0, also where all so far are -inf.
template <class T>
Var<T> logcumsumexp(const Var<T>& x, Index axis);

}  // namespace fjord
