#include "fjord/nn/modules.hpp"

#include <array>

#include "fjord/nn/linear.hpp"
#include "fjord/nn/mlp.hpp"

namespace fjord::nn {

template <class T>
std::span<const PartType<T>> modules() {
  static constexpr std::array types{part_type<T, Linear<T>>("linear", "x W^T + b"),
                                    part_type<T, Mlp<T>>("mlp", "a multilayer perceptron")};
  return types;
}

template std::span<const PartType<float>> modules();
template std::span<const PartType<double>> modules();

}  // namespace fjord::nn
