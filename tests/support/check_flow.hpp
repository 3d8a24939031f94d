/// What every flow must satisfy, checked by one helper.
#pragma once

#include <string>
#include <vector>

#include "fjord/flows/bijector.hpp"

namespace fjord::test {

/// Largest disagreements found by `check_flow`.
struct FlowCheck {
  double inverse = 0;     ///< inverse(forward(x)) and forward(inverse(x)) against x
  double log_det = 0;     ///< both log-determinants against the determinants of full Jacobians
  double trace_free = 0;  ///< the maps without log-determinant against those with it
  std::vector<std::string> without_gradient;  ///< parameters of which some entry gets none
};

/// Holds a bijector with an exact trace, and its parameters, against its own Jacobian, row by row:
/// forward at rows x [B, D], the inverse at their images. The Jacobians come from forward sweeps
/// through the maps without log-determinant, the determinants from elimination. What is given of
/// the rows is [B, G], or a number for nothing.
FlowCheck check_flow(const flows::Bijector<double>& flow,
                     const nn::NamedParameters<double>& parameters, const Tensor<double>& x,
                     const Tensor<double>& given = {});

/// Some rows of x [N, D].
Tensor<double> rows_of(const Tensor<double>& x, Index first, Index count);

/// log |det| of a square matrix, by elimination.
double log_abs_det(Tensor<double> a);

/// The largest absolute difference of two tensors of one shape.
double worst_difference(const Tensor<double>& a, const Tensor<double>& b);

}  // namespace fjord::test
