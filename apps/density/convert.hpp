/// Tables converted to parts that programs read without loading them.
#pragma once

#include <cstddef>

#include "fjord/apps/density/options.hpp"

namespace fjord::apps::density {

/// Large enough for disks and few files, small enough to copy one.
constexpr std::size_t default_part_bytes = std::size_t{1} << 28;

/// Writes a table as parts NAME-00000.npy, NAME-00001.npy, ... of float64, each of about so many
/// bytes, in a new or empty folder, and the names of its columns beside them (see MappedFile); any
/// number of rows takes the same memory. Prints one line. The folder has its name once all is
/// written.
///
/// Returns the exit status: 0, or 128 plus the number of the signal that stopped it. After a signal
/// there is no folder.
/// Errors:  std::invalid_argument for the table as load_table(), and for a folder with files in it;
///          std::system_error if writing fails.
int convert(const ConvertOptions& options, std::size_t part_bytes = default_part_bytes);

}  // namespace fjord::apps::density
