/// RMSprop.
#pragma once

#include "fjord/optim/optimizer.hpp"

namespace fjord::optim {

struct RmsPropOptions {
  double rate = 1e-2;       ///< step length, > 0
  double beta = 0.99;       ///< decay of the mean square, in [0, 1)
  double epsilon = 1e-8;    ///< added to the root of the mean square, > 0
  double weight_decay = 0;  ///< times the parameter, added to its gradient; >= 0
};

/// Steps along the gradient over the root of the running mean of its square.
///
/// Source:  Tieleman & Hinton, Lecture 6.5: RMSprop, Coursera, Neural networks for machine learning
///          (2012).
template <class T>
class RmsProp final : public Optimizer<T> {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range, or a parameter is null or
  ///          given twice.
  explicit RmsProp(const ParameterGroups<T>& parameters, const RmsPropOptions& options = {});

 private:
  void update(const StepPart<T>& part) const override;

  RmsPropOptions options_;
};

extern template class RmsProp<float>;
extern template class RmsProp<double>;

}  // namespace fjord::optim
