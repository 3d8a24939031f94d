#include "fjord/nn/masked_mlp.hpp"

#include <algorithm>
#include <cmath>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/layer.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord::nn {
namespace {

template <class T>
Tensor<T> initial_weight(const Tensor<T>& mask, const RandomKey& random) {
  Tensor<T> weight = Tensor<T>::zeros(mask.shape());
  random.truncated_normal(weight.storage());
  for (Index i = 0; i < mask.shape()[0]; ++i) {
    double seen = 0;
    for (Index j = 0; j < mask.shape()[1]; ++j) seen += static_cast<double>(mask(i, j));
    const T deviation = static_cast<T>(1 / std::sqrt(std::max(seen, 1.0)));
    for (Index j = 0; j < mask.shape()[1]; ++j) weight(i, j) *= deviation * mask(i, j);
  }
  return weight;
}

void check(const MaskedSizes& sizes) {
  require(!sizes.inputs.empty() && !sizes.outputs.empty(), "masked_mlp",
          "an input and an output at least are needed");
  const auto at_least = [](const std::vector<Index>& numbers, Index least) {
    return std::ranges::all_of(numbers, [&](Index n) { return n >= least; });
  };
  require(at_least(sizes.inputs, 0) && at_least(sizes.hidden, 1) && at_least(sizes.outputs, 1),
          "masked_mlp", "degrees and widths must be positive, those of inputs 0 at least");
}

// Of a hidden layer: from the lowest degree of an input to the highest that an output sees.
std::vector<Index> hidden_degrees(const MaskedSizes& sizes, Index width) {
  const Index highest = *std::ranges::max_element(sizes.outputs) - 1;
  const Index lowest = std::min(*std::ranges::min_element(sizes.inputs), highest);
  std::vector<Index> degrees;
  for (Index unit = 0; unit < width; ++unit)
    degrees.push_back(lowest + unit % (highest - lowest + 1));
  return degrees;
}

// 1 where an output's degree is `by` more than the input's, or higher.
template <class T>
Tensor<T> mask_of(const std::vector<Index>& in, const std::vector<Index>& out, Index by) {
  const auto size = [](const std::vector<Index>& list) { return static_cast<Index>(list.size()); };
  Tensor<T> mask = Tensor<T>::zeros({size(out), size(in)});
  for (std::size_t i = 0; i < out.size(); ++i) {
    for (std::size_t j = 0; j < in.size(); ++j) mask(i, j) = out[i] >= in[j] + by ? T(1) : T(0);
  }
  return mask;
}

}  // namespace

template <class T>
MaskedLinear<T>::MaskedLinear(Tensor<T> mask, const RandomKey& random)
    : mask_(std::move(mask)),
      weight_(initial_weight(mask_, random)),
      bias_(Tensor<T>::zeros({mask_.shape()[0]})) {}

template <class T>
Var<T> MaskedLinear<T>::forward(const Var<T>& x) const {
  Tape<T>& tape = x.tape();
  return affine(x, tape.bind(weight_) * tape.borrow(mask_), tape.bind(bias_));
}

template <class T>
Var<T> MaskedLinear<T>::forward(const Var<T>& x, const Activation<T>& activation) const {
  if (activation.of_affine == nullptr) return activation.function(forward(x));
  Tape<T>& tape = x.tape();
  return activation.of_affine(x, tape.bind(weight_) * tape.borrow(mask_), tape.bind(bias_));
}

template <class T>
Description<T> MaskedLinear<T>::describe() {
  return Description<T>("").parameter("weight", weight_).parameter("bias", bias_);
}

template <class T>
MaskedMlp<T>::MaskedMlp(const MaskedSizes& sizes, const Activation<T>& activation,
                        const RandomKey& random)
    : activation_(activation) {
  require(activation.function != nullptr, "masked_mlp", "an activation with a function is needed");
  check(sizes);
  std::vector<Index> below = sizes.inputs;
  const auto add = [&](const std::vector<Index>& degrees, Index by) {
    layers_.push_back(std::make_unique<MaskedLinear<T>>(mask_of<T>(below, degrees, by),
                                                        random.fold(layers_.size())));
    below = degrees;
  };
  for (const Index width : sizes.hidden) add(hidden_degrees(sizes, width), 0);
  add(sizes.outputs, 1);
}

template <class T>
Var<T> MaskedMlp<T>::forward(const Var<T>& x) const {
  Var<T> h = x;
  for (std::size_t i = 0; i + 1 < layers_.size(); ++i) h = layers_[i]->forward(h, activation_);
  return layers_.back()->forward(h);
}

template <class T>
Description<T> MaskedMlp<T>::describe() {
  Description<T> description("");
  for (std::size_t i = 0; i < layers_.size(); ++i)
    description.inner("layers." + std::to_string(i), *layers_[i]);
  return description;
}

template class MaskedLinear<float>;
template class MaskedLinear<double>;
template class MaskedMlp<float>;
template class MaskedMlp<double>;

}  // namespace fjord::nn
