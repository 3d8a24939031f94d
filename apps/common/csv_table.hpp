/// Tables of numbers in CSV text.
#pragma once

#include <string_view>

#include "fjord/apps/common/table.hpp"
#include "fjord/autodiff/files.hpp"

namespace fjord::apps {

/// Reads a table; see CsvReader for the text's form and Cell for its fields. Those that are missing
/// or not finite numbers are NaN.
///
/// The first line is a header if one of its fields is text and none is a number with a fraction or
/// an exponent. Without a header, the last comment above the first row gives the names if it has as
/// many fields. `header` overrides this.
///
/// Errors:  std::invalid_argument through `check`, with line, column, and the text read, if a row
///          and the first line have different numbers of fields; if a quote is wrong; if there are
///          no rows; and if the first line may be names or numbers: it mixes text with fractions,
///          or all its numbers are whole and every column below has fractions.
LooseTable parse_loose_csv(std::string_view text, Header header, const FileCheck& check);

/// Reads a table of finite numbers.
///
/// Errors:  as parse_loose_csv(), and with line, column and the text read if a field is missing or
///          not a finite number.
Table parse_csv(std::string_view text, Header header, const FileCheck& check);

}  // namespace fjord::apps
