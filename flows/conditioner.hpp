/// The networks of couplings and autoregressive flows.
#pragma once

#include <algorithm>

#include "fjord/nn/part_reader.hpp"

namespace fjord::flows {

/// How such a network is built; what its inputs and outputs are, the flow knows.
struct ConditionerSettings {
  std::vector<Index> hidden = {64, 64};  ///< widths of the hidden layers, each > 0
  std::string activation = "tanh";       ///< name of one: fjord/nn/activation.hpp
  Index given = 0;                       ///< columns of Context::given that it gets, >= 0
};

/// As settings of a part.
template <class T>
void set_conditioner(nn::Description<T>& description, const ConditionerSettings& settings) {
  description.set("hidden", settings.hidden)
      .set("activation", settings.activation)
      .set("given", settings.given);
}

/// The settings that `set_conditioner` set.
template <class T>
ConditionerSettings read_conditioner(nn::PartReader<T>& reader) {
  return {reader.sizes("hidden"), reader.text("activation"), reader.count("given")};
}

/// in, hidden..., out.
inline std::vector<Index> network_sizes(Index in, const ConditionerSettings& settings, Index out) {
  std::vector<Index> sizes{in};
  sizes.insert(sizes.end(), settings.hidden.begin(), settings.hidden.end());
  sizes.push_back(out);
  return sizes;
}

/// Tells the reader of the weights of a network of these sizes.
///
/// Errors:  std::invalid_argument if the file holds fewer.
template <class T>
void expect_network(nn::PartReader<T>& reader, const std::vector<Index>& sizes) {
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i)
    reader.expect_weights((static_cast<double>(sizes[i]) + 1) * static_cast<double>(sizes[i + 1]));
}

/// Sets the last layer of a network to zero, so that it gives 0 for all inputs.
template <class T>
void zero_last_layer(nn::Part<T>& network) {
  const nn::NamedParameters<T> parameters = nn::parameters_of(network);
  for (std::size_t i = parameters.size() - 2; i < parameters.size(); ++i)
    std::ranges::fill(parameters[i].parameter->mutable_values(), T(0));
}

}  // namespace fjord::flows
