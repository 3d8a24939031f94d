/// Masks, and the choice that they make; broadcast as in numpy.
#pragma once

#include "fjord/autodiff/var.hpp"

namespace fjord {

/// 1 where x > 0, else 0 (NaN gives 0); no derivative flows through it.
template <class T>
Var<T> is_positive(const Var<T>& x);
/// a where the mask is not 0, else b; nothing flows to the side that was not chosen, whatever it
/// holds.
template <class T>
Var<T> where(const Var<T>& mask, const Var<T>& a, const Var<T>& b);

}  // namespace fjord
