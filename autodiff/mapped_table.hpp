/// Tables of more rows than memory holds.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fjord/autodiff/shape.hpp"

namespace fjord {

/// The rows of a .npy file, or of a folder of them, mapped into memory: only those that are read
/// are fetched, and the system forgets them when it needs the room.
///
/// A folder has parts `NAME-00000.npy`, `NAME-00001.npy`, ... of one name, with the same columns.
/// Note:    The files must not become shorter while it is there: the system would end the process.
class MappedTable final {
 public:
  /// Errors:  std::invalid_argument "[load_npy] file: ..." if a file is not a .npy file of shape
  ///          [rows, columns], is not whole, has other columns than the first, or a part is
  ///          missing; if there are 2^32 rows or more; "[read] path: ..." if it cannot be read.
  explicit MappedTable(const std::string& path);
  ~MappedTable();
  MappedTable(const MappedTable&) = delete;
  MappedTable& operator=(const MappedTable&) = delete;

  Index rows() const { return rows_; }

  Index columns() const { return columns_; }

  /// Bytes of a row in the first file.
  std::size_t row_bytes() const;

  /// Writes some rows in the precision T, column by column. Threads may do so together.
  ///
  /// Shapes:  values [rows.size(), columns()], column-major.
  /// Errors:  std::invalid_argument if there is no such row.
  template <class T>
  void read(std::span<const std::uint32_t> rows, T* values) const;

 private:
  class Mapping;
  class Part;

  void add_part(const std::string& file);
  // Lets the pages go that were mapped, before they are many: after so many bytes more.
  void forget(std::size_t mapped) const;

  std::vector<std::unique_ptr<Part>> parts_;
  Index rows_ = 0;
  Index columns_ = 0;
  mutable std::atomic<std::size_t> mapped_ = 0;  // bytes, so far
};

}  // namespace fjord
