/// The command info: what is in a model file, in words.
#pragma once

#include <string>

namespace fjord::apps::density {

/// Prints the columns, the precision, the number of parameters and the tree of parts of a model.
///
/// Errors:  std::invalid_argument if the file is not a model.
void info(const std::string& file);

}  // namespace fjord::apps::density
