/// The text that the option --version prints.
#pragma once

#include <string>

namespace fjord::apps {

/// Four lines: the program's name and Fjord's version, the processor's features in use, the BLAS
/// with its core, and the MPI that it is built with.
std::string version_text(const std::string& program);

}  // namespace fjord::apps
