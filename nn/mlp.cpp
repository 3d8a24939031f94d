#include "fjord/nn/mlp.hpp"

#include <algorithm>
#include <cmath>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/layer.hpp"
#include "fjord/autodiff/ops/mlp.hpp"
#include "fjord/autodiff/tape.hpp"
#include "fjord/nn/spectral_norm.hpp"

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

template <class T>
std::optional<double> read_lipschitz(PartReader<T>& reader) {
  // Absent for none, as in files from before there was such a setting.
  if (!reader.has("lipschitz")) return std::nullopt;
  return reader.number("lipschitz");
}

}  // namespace

template <class T>
Mlp<T>::Mlp(std::span<const Index> sizes, const Activation<T>& activation, const RandomKey& random,
            std::optional<double> lipschitz)
    : activation_(activation), sizes_(sizes.begin(), sizes.end()), lipschitz_(lipschitz) {
  require(activation.function != nullptr, "mlp", "an activation with a function is needed");
  require(sizes.size() >= 2, "mlp", "an input size and an output size at least are needed");
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    layers_.push_back(std::make_unique<Linear<T>>(sizes[i], sizes[i + 1], random.fold(i)));
  }
  is_fusible_ = activation_.mlp != nullptr && layers_.size() > 1 &&
                std::ranges::max(sizes_) <= widest_narrow_mlp;
  if (!lipschitz) return;
  require(*lipschitz > 0 && std::isfinite(*lipschitz), "mlp",
          "a Lipschitz bound must be positive and finite");
  const auto count = static_cast<double>(layers_.size());
  spectral_bound_ =
      std::pow(*lipschitz, 1 / count) / std::pow(activation.steepest, (count - 1) / count);
}

template <class T>
Mlp<T>::Mlp(PartReader<T>& reader)
    : Mlp(expected_sizes(reader), activation_named<T>(reader.text("activation")), RandomKey(0),
          read_lipschitz(reader)) {}

template <class T>
Var<T> Mlp<T>::forward(const Var<T>& x) const {
  return forward(x, bind(x.tape()));
}

template <class T>
Var<T> Mlp<T>::forward(const Var<T>& x, std::span<const Var<T>> layers) const {
  const std::size_t hidden = layers.size() - 2;
  return affine(activated(x, layers.first(hidden)), layers[hidden], layers[hidden + 1]);
}

template <class T>
Var<T> Mlp<T>::activated(const Var<T>& x, std::span<const Var<T>> layers) const {
  Var<T> h = x;
  for (std::size_t i = 0; i < layers.size(); i += 2)
    h = activated_affine(h, layers[i], layers[i + 1], activation_);
  return h;
}

template <class T>
Index Mlp<T>::bottleneck() const {
  return sizes_.size() > 2 ? *std::ranges::min_element(sizes_.begin() + 1, sizes_.end() - 1) : 0;
}

template <class T>
std::pair<Var<T>, Var<T>> Mlp<T>::forward_by_bottleneck(const Var<T>& x) const {
  require(sizes_.size() > 2, "mlp", "a hidden layer is needed");
  const auto narrowest = std::ranges::min_element(sizes_.begin() + 1, sizes_.end() - 1);
  const auto split = static_cast<std::size_t>(2 * (narrowest - sizes_.begin()));
  const std::span<const Var<T>> layers = bind(x.tape());
  const Var<T> hidden = activated(x, layers.first(split));
  return {hidden, forward(hidden, layers.subspan(split))};
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
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    std::ranges::copy(layers_[i]->bind(tape), bound + 2 * i);
    if (lipschitz_) bound[2 * i] = with_spectral_bound(bound[2 * i], spectral_bound_);
  }
  return {bound, 2 * layers_.size()};
}

template <class T>
Description<T> Mlp<T>::describe() {
  Description<T> description("mlp");
  description.set("sizes", sizes_).set("activation", std::string(activation_.name));
  if (lipschitz_) description.set("lipschitz", *lipschitz_);
  for (std::size_t i = 0; i < layers_.size(); ++i)
    description.inner("layers." + std::to_string(i), *layers_[i]);
  return description;
}

template class Mlp<float>;
template class Mlp<double>;

}  // namespace fjord::nn
