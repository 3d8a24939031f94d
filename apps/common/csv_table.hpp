/// Tables of numbers in CSV text.
#pragma once

#include <string_view>

#include "fjord/apps/common/table.hpp"
#include "fjord/autodiff/files.hpp"

namespace fjord::apps {

/// Reads a table of finite numbers; see CsvReader for the text's form and Cell for its fields.
///
/// The first line is a header if one of its fields is text and none is a number with a fraction or
/// an exponent. Without a header, the last comment above the first row gives the names if it has as
/// many fields. `header` overrides this.
///
/// Errors:  std::invalid_argument through `check`, with line, column, and what was read, if a
///          field is missing or not a finite number, or a row has another number of fields than the
///          first line; if the first line may be names or numbers, as it mixes text with fractions,
///          or has whole numbers only and every column below has fractions; if there are no rows.
Table parse_csv(std::string_view text, Header header, const FileCheck& check);

}  // namespace fjord::apps
