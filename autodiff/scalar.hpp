/// Numbers for scalar code: each may or may not be on a tape.
///
/// Templates that were written for `double` run with `Scalar<double>`: loops, branches, arithmetic
/// with numbers, comparisons, std::max, the functions of `cmath`, and, with eigen.hpp, matrices of
/// Eigen.
///
///     template <class Real>
///     Real root(const Real& a) {
///       Real x = 1;
///       for (int i = 0; i < 6; ++i) x = 0.5 * (x + a / x);
///       return x;
///     }
///     const Scalar<double> a(tape.scalar(2.0));
///     const Scalar<double> slope = gradient(root<Scalar<double>>, a);
///
/// A Scalar is a part of structures (structure.hpp): `gradient`, `jvp`, `vjp`, `hvp` take Scalars,
/// lists and structs of them, and give the same. A result of numbers that are on no tape is on no
/// tape, and takes no memory.
#pragma once

#include <cmath>
#include <iosfwd>
#include <span>
#include <type_traits>
#include <vector>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/error_function.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/gamma.hpp"
#include "fjord/autodiff/ops/hyperbolic.hpp"
#include "fjord/autodiff/ops/power.hpp"
#include "fjord/autodiff/ops/rounding.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/scalar_number.hpp"

namespace fjord {

/// The entries of a tensor, in the order C.
template <class T>
std::vector<Scalar<T>> to_scalars(const Var<T>& x);

/// A tensor [n] of numbers, of which at least one is on a tape.
///
/// Errors:  std::invalid_argument if none is.
template <class T>
Var<T> to_var(std::span<const Scalar<T>> numbers);

template <class T>
Var<T> to_var(const std::vector<Scalar<T>>& numbers) {
  return to_var(std::span<const Scalar<T>>(numbers));
}

/// The gradient of y as numbers, by a sweep that records nothing; 0 where y does not depend on one.
///
/// Errors:  std::invalid_argument if one of the inputs is on no tape.
template <class T>
std::vector<T> gradient_values(const Scalar<T>& y,
                               std::type_identity_t<std::span<const Scalar<T>>> inputs);

template <class T>
std::vector<T> gradient_values(const Scalar<T>& y,
                               std::initializer_list<std::type_identity_t<Scalar<T>>> inputs) {
  return gradient_values(y, std::span<const Scalar<T>>(inputs.begin(), inputs.size()));
}

/// The derivative of some order of a function of one number; as for Vars.
template <class T, class F>
Scalar<T> derivative(F&& f, const Scalar<T>& x, int order = 1) {
  const auto on_nodes = [&](const Var<T>& at) {
    return Scalar<T>(f(Scalar<T>(at))).var(at.tape());
  };
  return Scalar<T>(derivative(on_nodes, x.var(), order));
}

// The functions of <cmath> of one number, recorded as those of the same names for Vars.
#define FJORD_SCALAR_FUNCTION(name)               \
  template <class T>                              \
  Scalar<T> name(const Scalar<T>& x) {            \
    using std::name;                              \
    if (!x.is_recorded()) return name(x.value()); \
    return Scalar<T>(name(x.var()));              \
  }
FJORD_SCALAR_FUNCTION(abs)
FJORD_SCALAR_FUNCTION(sqrt)
FJORD_SCALAR_FUNCTION(cbrt)
FJORD_SCALAR_FUNCTION(exp)
FJORD_SCALAR_FUNCTION(exp2)
FJORD_SCALAR_FUNCTION(expm1)
FJORD_SCALAR_FUNCTION(log)
FJORD_SCALAR_FUNCTION(log2)
FJORD_SCALAR_FUNCTION(log10)
FJORD_SCALAR_FUNCTION(log1p)
FJORD_SCALAR_FUNCTION(sin)
FJORD_SCALAR_FUNCTION(cos)
FJORD_SCALAR_FUNCTION(tan)
FJORD_SCALAR_FUNCTION(asin)
FJORD_SCALAR_FUNCTION(acos)
FJORD_SCALAR_FUNCTION(atan)
FJORD_SCALAR_FUNCTION(sinh)
FJORD_SCALAR_FUNCTION(cosh)
FJORD_SCALAR_FUNCTION(tanh)
FJORD_SCALAR_FUNCTION(asinh)
FJORD_SCALAR_FUNCTION(acosh)
FJORD_SCALAR_FUNCTION(atanh)
FJORD_SCALAR_FUNCTION(erf)
FJORD_SCALAR_FUNCTION(erfc)
FJORD_SCALAR_FUNCTION(lgamma)
#undef FJORD_SCALAR_FUNCTION

template <class T>
Scalar<T> fabs(const Scalar<T>& x) {
  return abs(x);
}

template <class T>
Scalar<T> ldexp(const Scalar<T>& x, int exponent) {
  return x * std::ldexp(T(1), exponent);
}

// Steps, whose derivatives are 0: on no tape.
#define FJORD_SCALAR_STEP(name)        \
  template <class T>                   \
  Scalar<T> name(const Scalar<T>& x) { \
    return std::name(x.value());       \
  }
FJORD_SCALAR_STEP(floor)
FJORD_SCALAR_STEP(ceil)
FJORD_SCALAR_STEP(round)
FJORD_SCALAR_STEP(trunc)
FJORD_SCALAR_STEP(rint)
FJORD_SCALAR_STEP(nearbyint)
#undef FJORD_SCALAR_STEP

#define FJORD_SCALAR_TEST(name)   \
  template <class T>              \
  bool name(const Scalar<T>& x) { \
    return std::name(x.value());  \
  }
FJORD_SCALAR_TEST(isfinite)
FJORD_SCALAR_TEST(isinf)
FJORD_SCALAR_TEST(isnan)
FJORD_SCALAR_TEST(signbit)
#undef FJORD_SCALAR_TEST

/// Prints the value.
template <class T, class Char, class Traits>
std::basic_ostream<Char, Traits>& operator<<(std::basic_ostream<Char, Traits>& out,
                                             const Scalar<T>& x) {
  return out << x.value();
}

}  // namespace fjord
