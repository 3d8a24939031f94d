#include "fjord/nn/linear.hpp"

#include <cmath>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/layer.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord::nn {
namespace {

template <class T>
Tensor<T> initial_weight(Index in, Index out, const RandomKey& random) {
  require(in > 0 && out > 0, "linear", [&] {
    return "sizes must be positive, got " + std::to_string(in) + " in and " + std::to_string(out) +
           " out";
  });
  Tensor<T> weight = Tensor<T>::zeros({out, in});
  random.truncated_normal(weight.storage());
  const T deviation = static_cast<T>(1 / std::sqrt(static_cast<double>(in)));
  for (T& w : weight.storage()) w *= deviation;
  return weight;
}

}  // namespace

template <class T>
Linear<T>::Linear(Index in, Index out, const RandomKey& random)
    : weight_(initial_weight<T>(in, out, random)), bias_(Tensor<T>::zeros({out})) {}

template <class T>
std::array<Var<T>, 2> Linear<T>::bind(Tape<T>& tape) const {
  return {tape.bind(weight_), tape.bind(bias_)};
}

template <class T>
Var<T> Linear<T>::forward(const Var<T>& x) const {
  const auto [weight, bias] = bind(x.tape());
  return affine(x, weight, bias);
}

template <class T>
Var<T> Linear<T>::forward(const Var<T>& x, const Activation<T>& activation) const {
  if (activation.of_affine == nullptr) {
    require(activation.function != nullptr, "linear", "an activation with a function is needed");
    return activation.function(forward(x));
  }
  const auto [weight, bias] = bind(x.tape());
  return activation.of_affine(x, weight, bias);
}

template <class T>
void Linear<T>::add_parameters(const std::string& prefix, NamedParameters<T>& list) {
  list.push_back({prefix + "weight", &weight_});
  list.push_back({prefix + "bias", &bias_});
}

template class Linear<float>;
template class Linear<double>;

}  // namespace fjord::nn
