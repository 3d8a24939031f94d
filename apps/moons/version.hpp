/// The text that `moons --version` prints.
#pragma once

#include <string>

namespace fjord::apps {

/// Version, processor features in use, and the BLAS with its core: three lines.
std::string version_text();

}  // namespace fjord::apps
