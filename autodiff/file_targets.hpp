/// Where the bytes of a file to write go; for file_streams.hpp and files.hpp.
#pragma once

#include <optional>
#include <string>
#include <sys/stat.h>
#include <utility>

namespace fjord {

/// Throws std::system_error "[write] path: reason".
[[noreturn]] void fail_write(const std::string& path, int error);

/// Standard output or error, if it is this file: opened a second time, a file would be written from
/// its start again, over what the stream wrote, and renamed, it would be lost to the stream.
std::optional<int> standard_stream(const struct stat& file);

/// The path without symbolic links at its end, also where it does not exist yet.
std::string link_target(const std::string& path);

/// Makes a file beside `target`, and returns its number, negative if that failed, and its name.
/// open() itself says whether a name is free, so no two writers share one.
std::pair<int, std::string> open_beside(const std::string& target, mode_t mode);

}  // namespace fjord
