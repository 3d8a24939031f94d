/// AMSGrad.
#pragma once

#include "fjord/optim/optimizer.hpp"

namespace fjord::optim {

struct AmsGradOptions {
  double rate = 1e-3;       ///< step length, > 0
  double beta1 = 0.9;       ///< decay of the first moment, in [0, 1)
  double beta2 = 0.999;     ///< decay of the second moment, in [0, 1)
  double epsilon = 1e-8;    ///< added to the root of the largest second moment, > 0
  double weight_decay = 0;  ///< times the parameter, added to its gradient; >= 0
};

/// Adam scaled by the largest second moment so far, so that steps do not become longer.
///
/// Source:  Reddi, Kale & Kumar, On the convergence of Adam and beyond, ICLR 2018, algorithm 2.
/// Note:    The paper leaves out Adam's corrections of the first steps; they are made here, as in
///          PyTorch.
template <class T>
class AmsGrad final : public Optimizer<T> {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range, or a parameter is null or
  ///          given twice.
  explicit AmsGrad(const ParameterGroups<T>& parameters, const AmsGradOptions& options = {});

 private:
  void update(const StepPart<T>& part) const override;

  AmsGradOptions options_;
};

extern template class AmsGrad<float>;
extern template class AmsGrad<double>;

}  // namespace fjord::optim
