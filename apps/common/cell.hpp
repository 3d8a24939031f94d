/// The contents of one field of a table.
#pragma once

#include <string>
#include <string_view>

namespace fjord::apps {

/// A field's text as a number, or the reason why it is not one.
struct Cell {
  enum class Kind {
    whole,     ///< digits, perhaps with a sign
    fraction,  ///< a number with a decimal point or an exponent
    missing,   ///< nothing, NA, N/A, null, None, ?, - or any NaN
    infinite,
    beyond,  ///< a number that a double cannot hold
    text,    ///< anything else
  };

  Kind kind = Kind::text;
  double value = 0;  ///< of whole and fraction; a number too small for a double is 0

  bool is_number() const { return kind == Kind::whole || kind == Kind::fraction; }
};

/// The text without the spaces, tabs and no-break spaces at its ends.
std::string_view trimmed(std::string_view text);

/// Reads a field, trimmed; U+2212 is a minus sign.
Cell cell_of(std::string_view field);

/// Why a cell that is not a number is refused, with the field as it was read and, where the mistake
/// is a common one, how to mend it.
std::string refusal_of(const Cell& cell, std::string_view field);

}  // namespace fjord::apps
