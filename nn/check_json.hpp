/// What JSON from outside must keep to before it is parsed.
#pragma once

#include <string_view>

#include "fjord/autodiff/files.hpp"

namespace fjord::nn {

/// Refuses a text, called `noun` in messages, that is not JSON, has a name twice in one object, of
/// which a parser would keep the last, or nests objects and arrays deeper than `max_depth`.
///
/// Errors:  std::invalid_argument through `check`.
void check_json(std::string_view text, const std::string& noun, std::size_t max_depth,
                const FileCheck& check);

}  // namespace fjord::nn
