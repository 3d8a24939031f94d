#include "fjord/nn/activation.hpp"

#include <array>
#include <string>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/layer.hpp"
#include "fjord/autodiff/ops/mlp.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"

namespace fjord::nn {

template <class T>
std::span<const Activation<T>> all_activations() {
  static constexpr std::array<Activation<T>, 7> activations{
      {{"tanh", tanh<T>, 1, tanh_affine<T>, tanh_mlp<T>, tanh_mlp_with_divergence<T>},
       {"softplus", softplus<T>, 1},
       {"elu", elu<T>, 1},
       {"silu", silu<T>, 1.09984},
       {"gelu", gelu<T>, 1.12891},
       {"sigmoid", sigmoid<T>, 0.25},
       {"sin", sin<T>, 1}}};
  return activations;
}

template <class T>
Var<T> activated_affine(const Var<T>& x, const Var<T>& weight, const Var<T>& bias,
                        const Activation<T>& activation) {
  if (activation.of_affine != nullptr) return activation.of_affine(x, weight, bias);
  require(activation.function != nullptr, "linear", "an activation with a function is needed");
  return activation.function(affine(x, weight, bias));
}

template <class T>
Activation<T> activation_named(std::string_view name) {
  std::string names;
  for (const Activation<T>& activation : all_activations<T>()) {
    if (activation.name == name) return activation;
    names += (names.empty() ? "" : ", ") + std::string(activation.name);
  }
  fail("activation", "one of " + names + " is needed, got " + std::string(name));
}

#define FJORD_INSTANTIATE(T)                                                    \
  template std::span<const Activation<T>> all_activations();                    \
  template Activation<T> activation_named(std::string_view);                    \
  template Var<T> activated_affine(const Var<T>&, const Var<T>&, const Var<T>&, \
                                   const Activation<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::nn
