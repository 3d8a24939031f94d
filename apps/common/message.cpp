#include "fjord/apps/common/message.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace fjord::apps {

std::string plain_message(std::string_view what) {
  std::string before;
  std::string after;
  const std::size_t end = what.find("] ");
  if (what.starts_with('[') && end != std::string_view::npos) {
    const std::string_view name = what.substr(1, end - 1);
    what.remove_prefix(end + 2);
    if (name.starts_with("--")) before = std::string(name) + ": ";
    if (name == "read" || name == "write") before = "cannot " + std::string(name) + " ";
    if (name == "read") after = "; check the name";
    if (name == "write") after = "; check the name and the free space";
  }
  std::string text = before + std::string(what) + after;
  std::ranges::replace(text, '\n', ' ');
  return text;
}

template <class T>
std::string number_text(T value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.begin(), text.end(), value).ptr};
}

template std::string number_text(float);
template std::string number_text(double);

}  // namespace fjord::apps
