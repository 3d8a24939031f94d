/// Adagrad.
#pragma once

#include "fjord/optim/optimizer.hpp"

namespace fjord::optim {

struct AdagradOptions {
  double rate = 1e-2;       ///< step length, > 0
  double epsilon = 1e-10;   ///< added to the root of the sum of squares, > 0
  double weight_decay = 0;  ///< times the parameter, added to its gradient; >= 0
};

/// Steps that become shorter in each parameter with the squares of all its gradients so far.
///
/// Source:  Duchi, Hazan & Singer, Adaptive subgradient methods for online learning and stochastic
///          optimization, JMLR 12 (2011).
template <class T>
class Adagrad final : public Optimizer<T> {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range, or a parameter is null or
  ///          given twice.
  explicit Adagrad(const ParameterGroups<T>& parameters, const AdagradOptions& options = {});

 private:
  void update(const StepPart<T>& part) const override;

  AdagradOptions options_;
};

extern template class Adagrad<float>;
extern template class Adagrad<double>;

}  // namespace fjord::optim
