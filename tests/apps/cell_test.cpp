#include "fjord/apps/common/cell.hpp"

#include <limits>

#include <doctest/doctest.h>

namespace fjord::apps {
namespace {

using Kind = Cell::Kind;

TEST_CASE("cell: numbers, however they are written") {
  struct Case {
    std::string text;
    Kind kind;
    double value;
  };

  const Case cases[] = {
      {"1", Kind::whole, 1},
      {"-007", Kind::whole, -7},
      {"+2", Kind::whole, 2},
      {"1.", Kind::fraction, 1},
      {".5", Kind::fraction, 0.5},
      {"+1e3", Kind::fraction, 1000},
      {"-2E-3", Kind::fraction, -2e-3},
      {" \t1.5 ", Kind::fraction, 1.5},
      {"\xc2\xa0"
       "1.5\xc2\xa0",
       Kind::fraction, 1.5},  // no-break spaces
      {"\xe2\x88\x92"
       "1.5",
       Kind::fraction, -1.5},  // U+2212
      {"0.1", Kind::fraction, 0.1},
      {"1e-400", Kind::fraction, 0},
      {"-1e-999", Kind::fraction, 0},
      {"4.9e-324", Kind::fraction, std::numeric_limits<double>::denorm_min()},
      {"1.7976931348623157e308", Kind::fraction, std::numeric_limits<double>::max()},
      {"0." + std::string(400, '3'), Kind::fraction, 1.0 / 3},
      {"1" + std::string(300, '0'), Kind::whole, 1e300},
      {std::string(400, '0') + "5", Kind::whole, 5},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(cell_of(c.text).kind == c.kind);
    CHECK(cell_of(c.text).is_number());
    CHECK(cell_of(c.text).value == c.value);
  }
}

TEST_CASE("cell: all that is not a number is refused for its own reason") {
  struct Case {
    std::string text;
    Kind kind;
    const char* message;
  };

  const Case cases[] = {
      {"", Kind::missing, "the value is missing: the field is empty"},
      {" \xc2\xa0 ", Kind::missing, "the field is empty"},
      {"NA", Kind::missing, "the value is missing: got \"NA\""},
      {"N/A", Kind::missing, "missing"},
      {"NaN", Kind::missing, "missing"},
      {"nan", Kind::missing, "missing"},
      {"-nan", Kind::missing, "missing"},
      {"null", Kind::missing, "missing"},
      {"None", Kind::missing, "missing"},
      {"?", Kind::missing, "missing"},
      {"-", Kind::missing, "missing"},
      {"inf", Kind::infinite, "a finite number is needed, got \"inf\""},
      {"-Infinity", Kind::infinite, "a finite number is needed"},
      {"+inf", Kind::infinite, "a finite number is needed"},
      {"1e400", Kind::beyond, "the range of double precision is needed, got \"1e400\""},
      {std::string(400, '9'), Kind::beyond, "the range of double precision"},
      {"word", Kind::text, "a number is needed, got \"word\""},
      {"0x10", Kind::text, "a number is needed, got \"0x10\""},
      {"+-1", Kind::text, "got \"+-1\""},
      {"--1", Kind::text, "got \"--1\""},
      {"+", Kind::text, "got \"+\""},
      {"1d3", Kind::text, "got \"1d3\""},
      {"1e", Kind::text, "got \"1e\""},
      {"1,5", Kind::text, "got \"1,5\"; write numbers with a decimal point"},
      {"1,234", Kind::text, "without commas"},
      {"-1,234.5", Kind::text, "without commas"},
      {"1%", Kind::text, "got \"1%\"; write a percentage as a fraction"},
      {"1 2", Kind::text, "got \"1 2\"; separate fields by commas, tabs or semicolons"},
      {"1|2", Kind::text, "separate fields by commas"},
      {std::string("1\0", 2), Kind::text, "got \"1\\x00\""},
      {"caf\xc3\xa9", Kind::text, "got \"caf\xc3\xa9\""},
      {"caf\xe9", Kind::text, "got \"caf\\xe9\""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const Cell cell = cell_of(c.text);
    CHECK(cell.kind == c.kind);
    CHECK_FALSE(cell.is_number());
    const std::string message = refusal_of(cell, c.text);
    CHECK_MESSAGE(message.find(c.message) != std::string::npos, message);
  }
}

}  // namespace
}  // namespace fjord::apps
