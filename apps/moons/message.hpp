/// Errors as a terminal shows them.
#pragma once

#include <string>
#include <string_view>

namespace fjord::apps {

/// An error's text in one line and without brackets: "[--rate] x" becomes "--rate: x", "[read] x"
/// becomes "cannot read x; check the name", and the name of any other function goes.
std::string plain_message(std::string_view what);

}  // namespace fjord::apps
