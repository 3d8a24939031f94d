/// Adam.
#pragma once

#include "fjord/optim/optimizer.hpp"

namespace fjord::optim {

struct AdamOptions {
  double rate = 1e-3;       ///< step length, > 0
  double beta1 = 0.9;       ///< decay of the first moment, in [0, 1)
  double beta2 = 0.999;     ///< decay of the second moment, in [0, 1)
  double epsilon = 1e-8;    ///< added to the root of the second moment, > 0
  double weight_decay = 0;  ///< times the parameter, added to its gradient; >= 0
};

/// Steps of equal length in every parameter, scaled by running moments of the gradient.
///
/// Source:  Kingma & Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 1.
template <class T>
class Adam final : public Optimizer<T> {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range, or a parameter is null or
  ///          given twice.
  explicit Adam(const ParameterGroups<T>& parameters, const AdamOptions& options = {});

 private:
  void update(const StepPart<T>& part) const override;

  AdamOptions options_;
};

extern template class Adam<float>;
extern template class Adam<double>;

}  // namespace fjord::optim
