/// Tables of numbers in CSV text.
#pragma once

#include <string_view>

#include "fjord/apps/common/csv_rows.hpp"
#include "fjord/apps/common/table.hpp"
#include "fjord/autodiff/files.hpp"

namespace fjord::apps {

/// Reads all rows that are left, at least one; errors as CsvRows.
LooseTable loose_table_of(CsvRows& rows);

/// Reads a table; see CsvRows for its form and the errors.
LooseTable parse_loose_csv(std::string_view text, Header header, const FileCheck& check);

/// Reads a table of finite numbers.
///
/// Errors:  as parse_loose_csv(), and with line, column and the text read if a field is missing or
///          not a finite number.
Table parse_csv(std::string_view text, Header header, const FileCheck& check);

}  // namespace fjord::apps
