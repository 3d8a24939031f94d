/// Pieces of HTML text.
#pragma once

#include <string>
#include <string_view>

namespace fjord::apps::density {

/// Text as HTML shows it: what would be markup is escaped.
std::string html_text(std::string_view text);

/// Bytes in letters, as data: addresses hold them.
///
/// Source:  RFC 4648, section 4.
std::string base64(std::string_view bytes);

}  // namespace fjord::apps::density
