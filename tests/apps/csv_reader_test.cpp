#include "fjord/apps/common/csv_reader.hpp"

#include <algorithm>
#include <charconv>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace fjord::apps {
namespace {

using Rows = std::vector<std::vector<std::string>>;

// Every field, and behind a fault what was read of it.
Rows rows_of(CsvReader& reader) {
  Rows rows;
  while (reader.next_row()) {
    rows.emplace_back();
    do {
      const CsvField field = reader.field();
      rows.back().push_back(std::string(field.fault) + std::string(field.text));
    } while (!reader.row_ended());
  }
  return rows;
}

Rows rows_of(std::string_view text) {
  CsvReader reader(text);
  return rows_of(reader);
}

// The text some characters at a time, as a slow pipe gives it.
TextSource in_pieces(std::string_view text, std::size_t size) {
  return [text, size](std::span<char> to) mutable {
    const std::size_t count = std::min({size, to.size(), text.size()});
    std::copy_n(text.begin(), count, to.begin());
    text.remove_prefix(count);
    return count;
  };
}

TEST_CASE("csv_reader: fields are those of RFC 4180") {
  struct Case {
    const char* text;
    Rows rows;
  };

  const Case cases[] = {
      {"", {}},
      {"\n \n\t\r\n", {}},
      {"a", {{"a"}}},
      {"a,b\nc,d", {{"a", "b"}, {"c", "d"}}},
      {"a,,\n", {{"a", "", ""}}},
      {",", {{"", ""}}},
      {"a\rb\r\nc\n\rd", {{"a"}, {"b"}, {"c"}, {"d"}}},
      {" a b ,\tc\t\n1 ,\t2\t\n", {{"a b", "c"}, {"1", "2"}}},
      {"a\t b\tc,d\n", {{"a", "b", "c,d"}}},
      {"a;b;\n;\t;c\n", {{"a", "b", ""}, {"", "", "c"}}},
      {"\"a, b\",\"\"\"c\"\"\",\"\"\n", {{"a, b", "\"c\"", ""}}},
      {"\"a\r\nb\",c\nd,e\n", {{"a\r\nb", "c"}, {"d", "e"}}},
      {" \" a \" ,b\n", {{" a ", "b"}}},
      {"5\" pipe,6\"\n", {{"5\" pipe", "6\""}}},
      {"\"a;b;c\",d\n", {{"a;b;c", "d"}}},
      {"\"a\"b,c\n", {{"has text after the closing quotea", "c"}}},
      {"a,\"b\nc", {{"a", "has a quote that is never closedb\nc"}}},
      {"\"", {{"has a quote that is never closed"}}},
      {"# a\n#\nb,#c\n# d", {{"b", "#c"}}},
      {"\xef\xbb\xbf# a\n\xef\xbb\xbf", {{"\xef\xbb\xbf"}}},
      {"\xc2\xa0 a\xc2\xa0,b\n", {{"a", "b"}}},
      {"sep=;\na,b;c\n", {{"a,b", "c"}}},
      {"\xef\xbb\xbf\"sep=,\"\r\na;b,c\n", {{"a;b", "c"}}},
      {"sep=\t\ra,b;c\n", {{"a,b;c"}}},
      {"sep=;", {}},
      {"sep=|\n", {{"sep=|"}}},
      {"1,5;2,5\n3,5;4,5\n", {{"1,5", "2,5"}, {"3,5", "4,5"}}},
      {"a;b,c\n1,2\n", {{"a;b", "c"}, {"1", "2"}}},
      {"a,b\tc\n1,2\t3\n", {{"a,b", "c"}, {"1,2", "3"}}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(rows_of(c.text) == c.rows);
    for (const std::size_t size : {1, 2, 5, 1000}) {
      CAPTURE(size);
      CsvReader reader(in_pieces(c.text, size));
      CHECK(rows_of(reader) == c.rows);
    }
  }
}

TEST_CASE("csv_reader: plain numbers are read, and anything else is left for field()") {
  CsvReader reader(
      " 1.5 ,+2,-3e2,.5\n\"4\",nan,-inf,1e999,+-1,1x,,\xe2\x88\x92"
      "1\n");
  REQUIRE(reader.next_row());
  CHECK(reader.number() == 1.5);
  CHECK(reader.number_text() == "1.5");
  CHECK(reader.number() == 2);
  CHECK(reader.number() == -300);
  CHECK_FALSE(reader.row_ended());
  CHECK(reader.number() == 0.5);
  CHECK(reader.row_ended());
  REQUIRE(reader.next_row());
  for (const char* text : {"4", "nan", "-inf", "1e999", "+-1", "1x", "", "\u22121"}) {
    CAPTURE(text);
    CHECK_FALSE(reader.number());
    CHECK(reader.field().text == text);
  }
  CHECK(reader.row_ended());
  CHECK_FALSE(reader.next_row());
}

TEST_CASE("csv_reader: numbers of any length are those of std::from_chars()") {
  std::mt19937_64 random(1);
  for (unsigned i = 0; i < 20'000; ++i) {
    // 1 to 20 digits, a point somewhere or nowhere, sometimes a sign or an exponent.
    std::string text = std::to_string(random() % 10'000'000'000) + std::to_string(random());
    text.resize(1 + random() % 20);
    if (i % 3 > 0) text.insert(random() % (text.size() + 1), ".");
    if (i % 5 == 0) text.insert(0, "-");
    if (i % 7 == 0) text += "e" + std::to_string(static_cast<int>(random() % 40) - 20);
    if (text == "." || text == "-." || text.starts_with(".e") || text.starts_with("-.e")) continue;
    CAPTURE(text);
    double expected = 0;
    REQUIRE(std::from_chars(text.data(), text.data() + text.size(), expected).ec == std::errc());
    CsvReader reader(text);
    REQUIRE(reader.next_row());
    CHECK(reader.number() == expected);
    CHECK(reader.number_text() == text);
  }
}

TEST_CASE("csv_reader: lines are counted as an editor counts them") {
  CsvReader reader("# c\r\n\ra,\"b\nb\",c\n\n\nd");
  REQUIRE(reader.next_row());
  CHECK(reader.blank_line() == 2);
  reader.field();
  CHECK(reader.line() == 3);
  reader.field();
  CHECK(reader.line() == 3);
  reader.field();
  CHECK(reader.line() == 4);
  CHECK(reader.row_text() == "a,\"b\nb\",c");
  REQUIRE(reader.next_row());
  CHECK(reader.blank_line() == 5);
  reader.field();
  CHECK(reader.line() == 7);
  CHECK(reader.row_text() == "d");
}

TEST_CASE("csv_reader: rows are found wherever the text is cut") {
  // Longer than what is kept, with a row that alone is.
  std::string text;
  Rows rows;
  std::mt19937_64 random(1);
  while (text.size() < (std::size_t{5} << 20)) {
    const std::size_t longest = random() % 1000 == 0 ? std::size_t{3} << 20 : 20;
    rows.push_back(
        {std::string(1 + random() % longest, 'x'), "a,\r\n\"\n" + std::to_string(random()), "#"});
    text += (random() % 9 == 0 ? "# \"\n" : "") + rows.back()[0] + "," +
            csv_quoted(rows.back()[1]) + ",#" + (random() % 2 == 0 ? "\n" : "\r\n");
  }
  for (const std::size_t size : {std::size_t{4'093}, std::size_t{1} << 24}) {
    CsvReader reader(in_pieces(text, size));
    CHECK(rows_of(reader) == rows);
    CHECK(reader.row_text() == text.substr(text.rfind(rows.back()[0]), reader.row_text().size()));
  }
}

TEST_CASE("csv_reader: the last comment's fields") {
  CsvReader reader("# first\n# x , \"y, z\"\n1,2\n# \"open\n3,4\n");
  REQUIRE(reader.next_row());
  CHECK(reader.comment_fields() == std::vector<std::string>{"x", "y, z"});
  reader.field();
  reader.field();
  REQUIRE(reader.next_row());
  CHECK(reader.comment_fields().empty());
  CHECK(CsvReader("1\n").comment_fields().empty());
}

TEST_CASE("csv_reader: quoted fields read back as they were") {
  for (const std::string field : {"plain", "with space", "", "a,b", "a;b", "a\tb", "\"", "a\"b\"",
                                  "a\r\nb", " a", "a ", "#a", "\u00a0a"}) {
    CAPTURE(field);
    CHECK(rows_of(csv_quoted(field) + ",x\n") == Rows{{field, "x"}});
  }
  CHECK(csv_quoted("with space") == "with space");
}

}  // namespace
}  // namespace fjord::apps
