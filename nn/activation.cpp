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
      {{"tanh", tanh<T>, tanh_affine<T>, tanh_mlp<T>, tanh_mlp_with_divergence<T>},
       {"softplus", softplus<T>},
       {"elu", elu<T>},
       {"silu", silu<T>},
       {"gelu", gelu<T>},
       {"sigmoid", sigmoid<T>},
       {"sin", sin<T>}}};
  return activations;
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

template std::span<const Activation<float>> all_activations();
template std::span<const Activation<double>> all_activations();
template Activation<float> activation_named(std::string_view);
template Activation<double> activation_named(std::string_view);

}  // namespace fjord::nn
