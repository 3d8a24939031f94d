/// The command info: what is in a model file, in words.
#pragma once

#include <string>

#include "fjord/nn/safetensors.hpp"

namespace fjord::apps::density {

/// The columns, the precision, the number of parameters and the tree of parts of a model, each on a
/// line.
///
/// Errors:  std::invalid_argument if the state is not that of a model.
std::string info_text(const nn::State& state);

/// Prints that of a file.
///
/// Errors:  std::invalid_argument if the file is not a model.
void info(const std::string& file);

}  // namespace fjord::apps::density
