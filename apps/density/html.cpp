#include "fjord/apps/density/html.hpp"

#include <cstdint>

namespace fjord::apps::density {

std::string html_text(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      default: result += c;
    }
  }
  return result;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  result.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view three = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (k < three.size() ? static_cast<std::uint8_t>(three[k]) : 0U);
    // Of k bytes, k + 1 letters.
    for (std::size_t k = 0; k < 4; ++k)
      result += k <= three.size() ? letters[bits >> (18 - 6 * k) & 63U] : '=';
  }
  return result;
}

}  // namespace fjord::apps::density
