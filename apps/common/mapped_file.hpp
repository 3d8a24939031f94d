/// Memory-mapped tables, for reading some of their rows.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fjord/apps/common/table.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/autodiff/mapped_table.hpp"

namespace fjord::apps {

/// The file in a folder of parts that has the names of the columns, as CSV has them in its header.
constexpr const char* column_names_file = "columns.csv";

/// A .npy file, or a folder of parts NAME-00000.npy, ..., with the names of its columns.
class MappedFile final {
 public:
  /// Errors:  std::invalid_argument as MappedTable; "[op] ..." if the table is empty, or the
  ///          numbers of names and columns differ.
  MappedFile(const std::string& file, std::string_view op);

  Index rows() const { return table_.rows(); }

  Index columns() const { return table_.columns(); }

  const std::vector<std::string>& names() const { return names_; }  ///< of the columns, or none

  const FileCheck& check() const { return check_; }

  const MappedTable& table() const { return table_; }

  /// Writes some columns of some rows in the precision T. Threads may do so together.
  ///
  /// Shapes:  values [rows.size(), columns.size()], column-major.
  /// Errors:  std::invalid_argument, with row and column counted from 1, for a number that is not
  ///          finite, or beyond those of T.
  template <class T>
  void read(std::span<const std::uint32_t> rows, std::span<const Index> columns, T* values) const;

 private:
  MappedTable table_;
  FileCheck check_;
  std::vector<std::string> names_;
};

/// The whole table; entries that are not finite are NaN.
LooseTable loose_table_of(const MappedFile& file);

/// Opens a table if it is a folder, or a regular file of numpy; null for any other.
///
/// `op` is what errors name, as FileCheck does.
/// Errors:  as MappedFile and TableInput; std::invalid_argument if it must have a header.
std::unique_ptr<MappedFile> open_mapped(const std::string& file, Header header,
                                        std::string_view op);

extern template void MappedFile::read(std::span<const std::uint32_t>, std::span<const Index>,
                                      float*) const;
extern template void MappedFile::read(std::span<const std::uint32_t>, std::span<const Index>,
                                      double*) const;

}  // namespace fjord::apps
