/// CSV text, one field after another.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fjord::apps {

/// A field without its quotes, and the reason why it could not be read, or an empty one.
struct CsvField {
  std::string_view text;   ///< valid until the next field is read
  std::string_view fault;  ///< a sentence's end, as "has a quote that is never closed"
};

/// Reads some bytes of a text, as many as there are at once; 0 at its end.
using TextSource = std::function<std::size_t(std::span<char>)>;

/// Reads text row by row and field by field, in one pass over its bytes.
///
/// Fields are separated by commas, tabs or semicolons: by the one that the first row shows outside
/// quotes. Where it shows several, the second row decides: it must have as many fields as the
/// first, and numbers rather than text. A first line "sep=;", as Excel writes it, names the
/// separator. Quotes are those of RFC 4180; lines end with LF, CRLF or CR; a byte-order mark is
/// skipped. Blanks around a field do not count. Rows skip lines of blanks, and lines that begin
/// with "#", which are comments.
///
/// Source:  RFC 4180.
class CsvReader final {
 public:
  /// The text must outlive the reader.
  explicit CsvReader(std::string_view text);

  /// Keeps no more of the text than a few rows, or a million characters.
  explicit CsvReader(TextSource source);
  CsvReader(const CsvReader&) = delete;
  CsvReader& operator=(const CsvReader&) = delete;

  /// Goes to the next row; false at the end of the text. The row before must have ended.
  bool next_row();

  /// The next field of the row, if it is a finite number without quotes and nothing else; otherwise
  /// nothing is read, and field() tells what is there.
  std::optional<double> number();

  /// The next field of the row, which must not have ended.
  CsvField field();

  /// Whether the last field was the row's last.
  bool row_ended() const { return row_ended_; }

  /// The text of the last field that number() read.
  std::string_view number_text() const { return number_; }

  /// The line of the last field, counted from 1.
  std::size_t line() const { return field_line_; }

  /// The row's text so far.
  std::string_view row_text() const;

  /// The first line of blanks that next_row() skipped, or 0.
  std::size_t blank_line() const { return blank_line_; }

  /// The fields of the last comment, or none.
  std::vector<std::string> comment_fields() const;

 private:
  CsvReader(std::string_view text, char separator);
  void begin();
  std::optional<char> separator_in(std::string_view text) const;
  bool read_more();
  std::size_t end_of_lines() const;
  bool is_end_of_field(const char* at) const;
  bool is_end_of_line(const char* at) const;
  const char* after_blanks(const char* at) const;
  CsvField quoted_field();
  void end_field();
  void end_line();
  std::vector<std::string> row();         // of the next row, or none if one has a fault
  std::vector<std::string> filled_row();  // of the next row that has one that is not empty

  // Begins at row_begin_; a longer text continues in the source.
  const char* at_;
  const char* end_;
  char separator_ = ',';
  TextSource source_;
  std::vector<char> buffer_;
  std::size_t filled_ = 0;  // of the buffer; beyond end_ are lines that have not ended
  bool is_final_ = true;    // nothing comes after end_
  bool row_ended_ = true;
  std::size_t line_ = 1;
  std::size_t field_line_ = 1;
  std::size_t blank_line_ = 0;
  const char* row_begin_ = nullptr;
  std::string_view number_;
  std::string comment_;
  std::string unquoted_;
};

/// The field with quotes where it needs them to be read back as it is.
std::string csv_quoted(std::string_view field);

}  // namespace fjord::apps
