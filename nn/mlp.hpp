/// Multilayer perceptrons.
#pragma once

#include <memory>

#include "fjord/nn/activation.hpp"
#include "fjord/nn/linear.hpp"

namespace fjord::nn {

/// Affine layers with an activation after every one but the last.
///
/// Shapes:  x [..., sizes.front()], at least two axes; result [..., sizes.back()].
template <class T>
class Mlp final : public Module<T> {
 public:
  /// Errors:  std::invalid_argument if there are fewer than two sizes or one is not positive.
  Mlp(std::span<const Index> sizes, const Activation<T>& activation, const Random& random);

  Var<T> forward(const Var<T>& x) const override;
  void add_parameters(const std::string& prefix, NamedParameters<T>& list) override;

 private:
  Activation<T> activation_;
  std::vector<std::unique_ptr<Linear<T>>> layers_;
};

extern template class Mlp<float>;
extern template class Mlp<double>;

}  // namespace fjord::nn
