/// What is solved: right-hand sides and the times between which they are.
#pragma once

#include <functional>
#include <type_traits>

#include "fjord/autodiff/var.hpp"

namespace fjord::ode {

/// The right-hand side f(t, y) of dy/dt = f(t, y), recorded on the tape of y.
///
/// Shapes:  t a scalar; y of any shape, and the result of the same.
template <class T>
using Field = std::function<Var<T>(const Var<T>& t, const Var<T>& y)>;

/// A function that a Field<T> can be made of, such as a lambda.
template <class F, class T>
concept FieldFunction = !std::is_same_v<F, Field<T>> && std::is_convertible_v<const F&, Field<T>>;

/// From t0 to t1; t1 < t0 integrates backwards.
struct TimeSpan {
  double t0 = 0;
  double t1 = 1;
};

}  // namespace fjord::ode
