/// Training of a model with all rows in every step, by L-BFGS.
#pragma once

#include "fjord/flows/fit.hpp"
#include "fjord/optim/lbfgs.hpp"

namespace fjord::flows {

template <class T>
struct LbfgsFitOptions {
  Index steps = 100;  ///< at most, >= 0
  optim::LbfgsOptions optimizer = {};
  std::shared_ptr<const Loss<T>> loss = std::make_shared<NegativeLogLikelihood<T>>();
  const ode::GradientMode* gradient = &ode::direct;  ///< never null
  /// Steps in a row without a better loss of the held-out rows that end the training; 0 for never.
  Index patience = 0;
  /// Of the loss; the same in all steps, so that it is one function of the parameters.
  RandomKey probes{2};
};

/// Trains `model` on all rows at once, as long as the loss falls: for small tables and models, and
/// for the last digits after `fit`. The parameters with the best loss of the held-out rows, which
/// may be null, are left in the end, or else the last ones. In the report, a step is an epoch.
///
/// Errors:  std::invalid_argument if there is no row, the widths do not match, an option is out of
///          its range, or the model adapts in more than its first step (a moving_batch_norm): the
///          loss would change from step to step.
/// Note:    Of a continuous flow the loss has noise of the size of its tolerances, below which it
///          does not fall.
template <class T>
FitReport fit_lbfgs(Distribution<T>& model, const RowSource<T>& rows, const RowSource<T>* held_out,
                    Workers& workers, const LbfgsFitOptions<T>& options = {});

}  // namespace fjord::flows
