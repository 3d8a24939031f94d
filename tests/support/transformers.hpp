/// The transformers that tests run through.
#pragma once

#include <memory>
#include <vector>

#include "fjord/flows/affine_transformer.hpp"
#include "fjord/flows/polynomial_splines.hpp"
#include "fjord/flows/rational_quadratic.hpp"
#include "fjord/flows/sum_of_squares.hpp"
#include "fjord/flows/unconstrained_monotonic.hpp"

namespace fjord::test {

template <class T>
using TransformerPointer = std::unique_ptr<flows::Transformer<T>>;

template <class T>
struct TransformerCase {
  const char* name;
  TransformerPointer<T> (*make)();
};

template <class Spline, class T>
TransformerPointer<T> make_spline() {
  return std::make_unique<Spline>(flows::SplineSettings{3, 2.0});
}

/// One of every kind; the bounds are such that some rows of a standard normal are beyond them.
///
/// Note:    Tests take rows in all bins, none of them so near a knot that the steps of finite
///          differences go across: second derivatives jump there.
template <class T = double>
std::vector<TransformerCase<T>> all_transformers() {
  using Pointer = TransformerPointer<T>;
  return {
      {"additive", []() -> Pointer { return std::make_unique<flows::AdditiveTransformer<T>>(); }},
      {"affine", []() -> Pointer { return std::make_unique<flows::AffineTransformer<T>>(2.0); }},
      {"cubic_spline", make_spline<flows::CubicSpline<T>, T>},
      {"linear_spline", make_spline<flows::LinearSpline<T>, T>},
      {"quadratic_spline", make_spline<flows::QuadraticSpline<T>, T>},
      {"rational_quadratic", make_spline<flows::RationalQuadraticSpline<T>, T>},
      {"sum_of_squares",
       []() -> Pointer {
         return std::make_unique<flows::SumOfSquares<T>>(flows::SumOfSquaresSettings{2, 2});
       }},
      {"unconstrained_monotonic",
       []() -> Pointer {
         return std::make_unique<flows::UnconstrainedMonotonic<T>>(
             flows::UnconstrainedMonotonicSettings{2, {4}, "tanh", 32}, RandomKey(2));
       }},
  };
}

}  // namespace fjord::test
