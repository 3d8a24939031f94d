#include "fjord/nn/mlp.hpp"

#include <algorithm>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/mlp.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord::nn {
namespace {

constexpr const char* not_fusible =
    "a hidden layer, a narrow width and an activation with an operation for both are needed";

template <class T>
std::vector<Index> expected_sizes(PartReader<T>& reader) {
  std::vector<Index> sizes = reader.sizes("sizes");
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i)
    reader.expect_weights((static_cast<double>(sizes[i]) + 1) * static_cast<double>(sizes[i + 1]));
  return sizes;
}

}  // namespace

template <class T>
Mlp<T>::Mlp(std::span<const Index> sizes, const Activation<T>& activation, const RandomKey& random)
    : activation_(activation), sizes_(sizes.begin(), sizes.end()) {
  require(activation.function != nullptr, "mlp", "an activation with a function is needed");
  require(sizes.size() >= 2, "mlp", "an input size and an output size at least are needed");
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    layers_.push_back(std::make_unique<Linear<T>>(sizes[i], sizes[i + 1], random.fold(i)));
  }
}

template <class T>
Mlp<T>::Mlp(PartReader<T>& reader)
    : Mlp(expected_sizes(reader), activation_named<T>(reader.text("activation")), RandomKey(0)) {}

template <class T>
Var<T> Mlp<T>::forward(const Var<T>& x) const {
  Var<T> h = x;
  for (std::size_t i = 0; i + 1 < layers_.size(); ++i) h = layers_[i]->forward(h, activation_);
  return layers_.back()->forward(h);
}

template <class T>
bool Mlp<T>::is_fusible() const {
  return activation_.mlp != nullptr && layers_.size() > 1 &&
         *std::ranges::max_element(sizes_) <= widest_narrow_mlp;
}

template <class T>
Var<T> Mlp<T>::fused(const Var<T>& t, const Var<T>& x) const {
  require(is_fusible(), "mlp", not_fusible);
  return activation_.mlp(t, x, bind(x.tape()));
}

template <class T>
Var<T> Mlp<T>::fused_with_divergence(const Var<T>& t, const Var<T>& x) const {
  require(is_fusible(), "mlp", not_fusible);
  return activation_.mlp_with_divergence(t, x, bind(x.tape()));
}

template <class T>
std::span<const Var<T>> Mlp<T>::bind(Tape<T>& tape) const {
  auto* bound = tape.template new_records<Var<T>>(2 * layers_.size());
  for (std::size_t i = 0; i < layers_.size(); ++i)
    std::ranges::copy(layers_[i]->bind(tape), bound + 2 * i);
  return {bound, 2 * layers_.size()};
}

template <class T>
Description<T> Mlp<T>::describe() {
  Description<T> description("mlp");
  description.set("sizes", sizes_).set("activation", std::string(activation_.name));
  for (std::size_t i = 0; i < layers_.size(); ++i)
    description.inner("layers." + std::to_string(i), *layers_[i]);
  return description;
}

template class Mlp<float>;
template class Mlp<double>;

}  // namespace fjord::nn
