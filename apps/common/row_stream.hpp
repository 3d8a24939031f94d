/// Tables read from the first row to the last.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fjord/apps/common/table.hpp"

namespace fjord::apps {

/// The rows of a table, each given once.
class RowStream {
 public:
  virtual ~RowStream() = default;

  virtual const std::vector<std::string>& names() const = 0;  ///< of the columns, or none
  virtual Index columns() const = 0;

  /// Says which columns next() gives, counted from 0, in this order: before the first call.
  virtual void need(std::vector<Index> columns) = 0;

  /// The next rows, at most so many: [rows, columns needed]; without rows at the end.
  ///
  /// Errors:  as load_table(), but for entries that are not needed.
  virtual Tensor<double> next(Index most) = 0;

 protected:
  RowStream() = default;
  RowStream(const RowStream&) = default;
  RowStream& operator=(const RowStream&) = default;
};

/// Opens any table that load_table() reads. Of CSV and mapped files, little is kept in memory.
///
/// `op` is what errors name, as FileCheck does.
/// Errors:  as load_table(), as far as the beginning of the file tells.
std::unique_ptr<RowStream> open_rows(const std::string& file, Header header, std::string_view op);

}  // namespace fjord::apps
