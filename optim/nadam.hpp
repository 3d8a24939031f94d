/// NAdam.
#pragma once

#include "fjord/optim/optimizer.hpp"

namespace fjord::optim {

struct NAdamOptions {
  double rate = 1e-3;       ///< step length, > 0
  double beta1 = 0.9;       ///< decay of the first moment, in [0, 1)
  double beta2 = 0.999;     ///< decay of the second moment, in [0, 1)
  double epsilon = 1e-8;    ///< added to the root of the second moment, > 0
  double weight_decay = 0;  ///< times the parameter, added to its gradient; >= 0
};

/// Adam with Nesterov's momentum.
///
/// Source:  Dozat, Incorporating Nesterov momentum into Adam, ICLR 2016 workshop.
/// Note:    beta1 is the same in all steps, as in Optax; PyTorch lets it rise.
template <class T>
class NAdam final : public Optimizer<T> {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range, or a parameter is null or
  ///          given twice.
  explicit NAdam(const ParameterGroups<T>& parameters, const NAdamOptions& options = {});

 private:
  void update(const StepPart<T>& part) const override;

  NAdamOptions options_;
};

extern template class NAdam<float>;
extern template class NAdam<double>;

}  // namespace fjord::optim
