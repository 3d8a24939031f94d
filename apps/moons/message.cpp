#include "fjord/apps/moons/message.hpp"

#include <algorithm>

namespace fjord::apps {

std::string plain_message(std::string_view what) {
  std::string text;
  const std::size_t end = what.find("] ");
  if (what.starts_with('[') && end != std::string_view::npos) {
    const std::string_view name = what.substr(1, end - 1);
    if (name.starts_with("--")) text = std::string(name) + ": ";
    what.remove_prefix(end + 2);
  }
  text += what;
  std::ranges::replace(text, '\n', ' ');
  return text;
}

}  // namespace fjord::apps
