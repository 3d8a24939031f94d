/// The arithmetic of derivatives that rules are written in.
///
/// A zero of a derivative is *masked* where a selection did not choose its entry, so that nothing
/// depends on it, or *computed*: see simd::masked_zero, the mark. Masked zeros silence an infinite
/// or NaN slope, computed ones do not. These functions neither make nor lose a mark by accident, as
/// the operators of users would; `scale`, `scale_sum`, `where` with `masked` and the sum of two
/// derivatives belong to them.
#pragma once

#include <limits>

#include "fjord/autodiff/kernels/simd.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord::rules {

using namespace kernels;

/// A masked zero, for `where` to give to entries that are not chosen.
template <class T>
Var<T> masked(Tape<T>& tape) {
  return tape.scalar(simd::masked_zero<T>);
}

/// Masked zeros in the shape of a derivative that is not there.
template <class T>
Var<T> masked(Tape<T>& tape, const NodeShape& shape) {
  return tape.filled(shape, simd::masked_zero<T>);
}

/// -g.
template <class T>
Var<T> negated(const Var<T>& g);

template <class T>
simd::Batch<T> negated(const simd::Batch<T>& g) {
  return simd::negated(g);
}

/// g times a number.
template <class T>
Var<T> scaled(const Var<T>& g, std::type_identity_t<T> factor);

template <class T>
simd::Batch<T> scaled(const simd::Batch<T>& g, std::type_identity_t<T> factor) {
  return simd::strong_product<T>(g, simd::Batch<T>(factor));
}

/// scale(g, d) where d is a derivative as well: masked where either is.
template <class T>
Var<T> scale_derivatives(const Var<T>& g, const Var<T>& d);

/// a + b, where an empty one is zero.
template <class T>
Var<T> sum_of(const Var<T>& a, const Var<T>& b) {
  return a.is_empty() ? b : b.is_empty() ? a : a + b;
}

/// a - b, where an empty one is zero.
template <class T>
Var<T> difference_of(const Var<T>& a, const Var<T>& b) {
  return b.is_empty() ? a : sum_of(a, negated(b));
}

/// A derivative that is given to a sweep: g with its zeros masked; g itself if it has no others.
template <class T>
Var<T> seed(const Var<T>& g);

/// g with no zero masked: what a rule of a user gives; g itself if it has none.
template <class T>
Var<T> unmasked(const Var<T>& g);

/// x as part of a slope at a point where its value is a convention: the derivatives are NaN.
template <class T>
Var<T> without_slope(const Var<T>& x);

/// x / y, but 0 where both are 0, by convention: no derivative there is known, and all are infinite
/// or NaN.
///
/// Shapes:  broadcast.
template <class T>
Var<T> quotient_of_zeros(const Var<T>& x, const Var<T>& y);

}  // namespace fjord::rules
