/// AdamW.
#pragma once

#include "fjord/optim/optimizer.hpp"

namespace fjord::optim {

struct AdamWOptions {
  double rate = 1e-3;          ///< step length, > 0
  double beta1 = 0.9;          ///< decay of the first moment, in [0, 1)
  double beta2 = 0.999;        ///< decay of the second moment, in [0, 1)
  double epsilon = 1e-8;       ///< added to the root of the second moment, > 0
  double weight_decay = 1e-2;  ///< times rate and parameter, subtracted from the parameter; >= 0
};

/// Adam with a weight decay that does not pass through the moments.
///
/// Source:  Loshchilov & Hutter, Decoupled weight decay regularization, ICLR 2019, algorithm 2.
/// Note:    The decay is times the rate, as in PyTorch and Optax; the paper's is times the schedule
///          only.
template <class T>
class AdamW final : public Optimizer<T> {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range, or a parameter is null or
  ///          given twice.
  explicit AdamW(const ParameterGroups<T>& parameters, const AdamWOptions& options = {});

 private:
  void update(const StepPart<T>& part) const override;

  AdamWOptions options_;
};

extern template class AdamW<float>;
extern template class AdamW<double>;

}  // namespace fjord::optim
