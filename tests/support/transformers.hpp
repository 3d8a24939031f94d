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

using TransformerPointer = std::unique_ptr<flows::Transformer<double>>;

struct TransformerCase {
  const char* name;
  TransformerPointer (*make)();
};

template <class Spline>
TransformerPointer make_spline() {
  return std::make_unique<Spline>(flows::SplineSettings{3, 2.0});
}

/// One of every kind; the bounds are such that some rows of a standard normal are beyond them.
///
/// Note:    Tests take rows in all bins, none of them so near a knot that the steps of finite
///          differences go across: second derivatives jump there.
inline std::vector<TransformerCase> all_transformers() {
  return {
      {"additive",
       []() -> TransformerPointer {
         return std::make_unique<flows::AdditiveTransformer<double>>();
       }},
      {"affine",
       []() -> TransformerPointer {
         return std::make_unique<flows::AffineTransformer<double>>(2.0);
       }},
      {"cubic_spline", make_spline<flows::CubicSpline<double>>},
      {"linear_spline", make_spline<flows::LinearSpline<double>>},
      {"quadratic_spline", make_spline<flows::QuadraticSpline<double>>},
      {"rational_quadratic", make_spline<flows::RationalQuadraticSpline<double>>},
      {"sum_of_squares",
       []() -> TransformerPointer {
         return std::make_unique<flows::SumOfSquares<double>>(flows::SumOfSquaresSettings{2, 2});
       }},
      {"unconstrained_monotonic",
       []() -> TransformerPointer {
         return std::make_unique<flows::UnconstrainedMonotonic<double>>(
             flows::UnconstrainedMonotonicSettings{2, {4}, "tanh", 32}, RandomKey(2));
       }},
  };
}

}  // namespace fjord::test
