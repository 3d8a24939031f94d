/// Stochastic gradient descent.
#pragma once

#include "fjord/optim/optimizer.hpp"

namespace fjord::optim {

struct SgdOptions {
  double rate = 1e-2;       ///< step length, > 0
  double momentum = 0;      ///< decay of the sum of past gradients, in [0, 1)
  bool nesterov = false;    ///< steps from where the momentum leads; needs momentum > 0
  double weight_decay = 0;  ///< times the parameter, added to its gradient; >= 0
};

/// Steps along the gradient, or along a decaying sum of gradients: b = momentum b + g.
///
/// The step is rate b, or rate (g + momentum b) with Nesterov's form.
///
/// Source:  Polyak, Some methods of speeding up the convergence of iteration methods, USSR Comput.
///          Math. Math. Phys. 4 (1964); Sutskever, Martens, Dahl & Hinton, On the importance of
///          initialization and momentum in deep learning, ICML 2013.
/// Note:    The rate is not in the sum, as in PyTorch, so that a change of it acts at once.
template <class T>
class Sgd final : public Optimizer<T> {
 public:
  /// Errors:  std::invalid_argument if an option is out of its range, or a parameter is null or
  ///          given twice.
  explicit Sgd(const ParameterGroups<T>& parameters, const SgdOptions& options = {});

 private:
  void update(const StepPart<T>& part) const override;

  SgdOptions options_;
};

extern template class Sgd<float>;
extern template class Sgd<double>;

}  // namespace fjord::optim
