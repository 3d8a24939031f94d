#include "fjord/nn/mlp.hpp"

#include "fjord/autodiff/errors.hpp"

namespace fjord::nn {

template <class T>
Mlp<T>::Mlp(std::span<const Index> sizes, const Activation<T>& activation, const Random& random)
    : activation_(activation) {
  require(sizes.size() >= 2, "mlp", "an input size and an output size at least are needed");
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    layers_.push_back(std::make_unique<Linear<T>>(sizes[i], sizes[i + 1], random.fold(i)));
  }
}

template <class T>
Var<T> Mlp<T>::forward(const Var<T>& x) const {
  Var<T> h = x;
  for (std::size_t i = 0; i + 1 < layers_.size(); ++i) h = layers_[i]->forward(h, activation_);
  return layers_.back()->forward(h);
}

template <class T>
void Mlp<T>::add_parameters(const std::string& prefix, NamedParameters<T>& list) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    layers_[i]->add_parameters(prefix + "layers." + std::to_string(i) + ".", list);
  }
}

template class Mlp<float>;
template class Mlp<double>;

}  // namespace fjord::nn
