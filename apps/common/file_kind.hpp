/// Kinds of files, known by their first bytes and their names.
#pragma once

#include <string_view>

namespace fjord::apps {

/// The kind of file that begins with these bytes, and how to make a table of it, or an empty text
/// if it is not a known one: archives, compressed files, workbooks, UTF-16 text, and the like.
std::string_view foreign_kind(std::string_view bytes);

/// Whether the bytes begin as a .npy file does.
bool is_npy(std::string_view bytes);

/// Whether the name ends so, in small or capital letters; the ending is in small ones.
bool has_ending(std::string_view name, std::string_view ending);

}  // namespace fjord::apps
