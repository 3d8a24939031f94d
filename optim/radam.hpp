/// RAdam.
#pragma once

#include "fjord/optim/optimizer.hpp"

namespace fjord::optim {

struct RAdamOptions {
  double rate = 1e-3;       ///< step length, > 0
  double beta1 = 0.9;       ///< decay of the first moment, in [0, 1)
  double beta2 = 0.999;     ///< decay of the second moment, in [0, 1)
  double epsilon = 1e-8;    ///< added to the root of the second moment, > 0
  double weight_decay = 0;  ///< times the parameter, added to its gradient; >= 0
};

/// Adam whose first steps are rectified: without the second moment while its variance is unbounded,
/// then shortened by that variance.
///
/// Source:  Liu, Jiang, He, Chen, Liu, Gao & Han, On the variance of the adaptive learning rate and
///          beyond, ICLR 2020, algorithm 2.
template <class T>
class RAdam final : public Optimizer<T> {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range, or a parameter is null or
  ///          given twice.
  explicit RAdam(const ParameterGroups<T>& parameters, const RAdamOptions& options = {});

 private:
  void update(const StepPart<T>& part) const override;

  RAdamOptions options_;
};

extern template class RAdam<float>;
extern template class RAdam<double>;

}  // namespace fjord::optim
