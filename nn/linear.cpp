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

template <class T>
Index expected_inputs(PartReader<T>& reader) {
  const Index in = reader.size("in");
  reader.expect_weights((static_cast<double>(in) + 1) * static_cast<double>(reader.size("out")));
  return in;
}

}  // namespace

template <class T>
Linear<T>::Linear(Index in, Index out, const RandomKey& random)
    : weight_(initial_weight<T>(in, out, random)), bias_(Tensor<T>::zeros({out})) {}

template <class T>
Linear<T>::Linear(PartReader<T>& reader)
    : Linear(expected_inputs(reader), reader.size("out"), RandomKey(0)) {}

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
  const auto [weight, bias] = bind(x.tape());
  return activated_affine(x, weight, bias, activation);
}

template <class T>
Description<T> Linear<T>::describe() {
  return Description<T>("linear")
      .set("in", in())
      .set("out", out())
      .parameter("weight", weight_)
      .parameter("bias", bias_);
}

template class Linear<float>;
template class Linear<double>;

}  // namespace fjord::nn
