/// Several tensors as one state of rank 1, for the solver.
#pragma once

#include <vector>

#include "fjord/autodiff/sweep.hpp"

namespace fjord::ode {

/// The entries of all parts in a row, each part's in the order C.
template <class T>
Var<T> pack(const Vars<T>& parts);

/// The parts again.
///
/// Shapes:  packed [sum of the sizes of all shapes].
template <class T>
Vars<T> unpack(const Var<T>& packed, const std::vector<Shape>& shapes);

}  // namespace fjord::ode
