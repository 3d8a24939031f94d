/// The text that the option --version prints.
#pragma once

#include <string>

namespace fjord::apps {

/// Three lines: the program's name and Fjord's version, the processor's features in use, and the
/// BLAS with its core.
std::string version_text(const std::string& program);

}  // namespace fjord::apps
