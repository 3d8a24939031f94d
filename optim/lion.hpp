/// Lion.
#pragma once

#include "fjord/optim/optimizer.hpp"

namespace fjord::optim {

struct LionOptions {
  double rate = 1e-4;       ///< step length, > 0
  double beta1 = 0.9;       ///< weight of the momentum in the direction, in [0, 1)
  double beta2 = 0.99;      ///< decay of the momentum, in [0, 1)
  double weight_decay = 0;  ///< times rate and parameter, subtracted from the parameter; >= 0
};

/// Steps of the length of the rate in every parameter: the sign of a mean of gradient and momentum.
///
/// Source:  Chen et al., Symbolic discovery of optimization algorithms, NeurIPS 2023, algorithm 2.
/// Note:    The paper advises a rate 3 to 10 times smaller than AdamW's.
template <class T>
class Lion final : public Optimizer<T> {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range, or a parameter is null or
  ///          given twice.
  explicit Lion(const ParameterGroups<T>& parameters, const LionOptions& options = {});

 private:
  void update(const StepPart<T>& part) const override;

  LionOptions options_;
};

extern template class Lion<float>;
extern template class Lion<double>;

}  // namespace fjord::optim
