/// Weights that other programs can make again.
#pragma once

#include <algorithm>
#include <cmath>

#include "fjord/nn/part.hpp"

namespace fjord::test {

/// Sets the n-th number of a part's parameters to sin(n), n = 1, 2, ..., each tensor in C order.
inline void set_sine_weights(nn::Part<double>& part) {
  double n = 0;
  for (const nn::NamedParameter<double>& p : nn::parameters_of(part)) {
    std::vector<double> numbers(static_cast<std::size_t>(p.parameter->value().size()));
    for (double& number : numbers) number = std::sin(++n);
    const Tensor<double> ordered = Tensor<double>::from(p.parameter->value().shape(), numbers);
    std::ranges::copy(ordered.storage(), p.parameter->mutable_values().begin());
  }
}

}  // namespace fjord::test
