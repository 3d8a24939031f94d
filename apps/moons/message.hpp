/// Errors as a terminal shows them.
#pragma once

#include <string>
#include <string_view>

namespace fjord::apps {

/// An error's text in one line, without the name of the function that found it: "[matmul] x"
/// becomes "x". The name of an option stays, as in "--rate: x".
std::string plain_message(std::string_view what);

}  // namespace fjord::apps
