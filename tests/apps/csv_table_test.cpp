#include "fjord/apps/common/csv_table.hpp"

#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace fjord::apps {
namespace {

using Names = std::vector<std::string>;

Table parse(std::string_view text, Header header = Header::automatic) {
  return parse_csv(text, header, FileCheck("--data", "x.csv"));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// A first line or lines, and the names that they give; ' encloses what some programs quote.
struct Head {
  const char* text;
  Names names;
};

// The same table in every form of the text: quotes, separators, line ends, byte-order mark.
std::vector<std::string> forms_of(const std::string& text,
                                  const std::vector<const char*>& line_ends) {
  std::vector<std::string> forms;
  for (const char* quote : {"", "\""}) {
    for (const char* separator : {",", ";", "\t", " ,\t", " ; "}) {
      for (const char* line_end : line_ends) {
        const std::string form =
            replaced(replaced(replaced(text, "'", quote), "\n", line_end), ",", separator);
        forms.push_back(form);
        forms.push_back("\xef\xbb\xbf" + form);
      }
    }
  }
  return forms;
}

TEST_CASE("csv_table: every separator, quote, line end and header gives the same table") {
  const std::string rows = "'1.5','-2'\n'3','0.25'\n'-40','5e-3'\n";
  const Head heads[] = {
      {"", {}},
      {"'x','y'\n", {"x", "y"}},
      {"'x','-2'\n", {"x", "-2"}},
      {"'inf','y'\n", {"inf", "y"}},
      {"'NA','y'\n", {"NA", "y"}},
      {"'',b\n", {"", "b"}},
      {"'a#1','b#'\n", {"a#1", "b#"}},
      {"# u,v\nx,y\n", {"x", "y"}},
      {"# x\n", {}},
  };
  for (const Head& head : heads) {
    for (const std::string& text :
         forms_of(head.text + rows, {"\n", "\r\n", "\r", "\n\n", "\n# note\n"})) {
      CAPTURE(text);
      const Table table = parse(text);
      CHECK(table.values == Tensor<double>{{1.5, -2}, {3, 0.25}, {-40, 5e-3}});
      CHECK(table.names == head.names);
    }
  }
  // No comment may follow the one that gives the names.
  for (const char* names : {"# x,y\n", "# made by hand\n# x,y\n", "#\n#'x','y'\n\n"}) {
    for (const std::string& text : forms_of(names + rows, {"\n", "\r\n", "\r", "\n\n"})) {
      CAPTURE(text);
      CHECK(parse(text).names == Names{"x", "y"});
    }
  }
  CHECK(parse("\"x\ny\",\"#\xc3\xa9\"\n1,2\n").names == Names{"x\ny", "#\xc3\xa9"});
}

TEST_CASE("csv_table: --header decides where the fields do not") {
  const Tensor<double> two{{0, 1}, {0.5, 1.5}};
  const Tensor<double> one{{0.5, 1.5}};
  CHECK(parse("0,1\n0.5,1.5\n", Header::no).values == two);
  CHECK(parse("0,1\n0.5,1.5\n", Header::no).names.empty());
  CHECK(parse("0,1\n0.5,1.5\n", Header::yes).values == one);
  CHECK(parse("0,1\n0.5,1.5\n", Header::yes).names == Names{"0", "1"});
  CHECK(parse("x,1.5\n0.5,1.5\n", Header::yes).names == Names{"x", "1.5"});
  CHECK(parse("NA,NA\n0.5,1.5\n", Header::yes).names == Names{"NA", "NA"});
  CHECK(parse("inf,nan\n0.5,1.5\n", Header::yes).values == one);
  CHECK(parse("# u,v\n0.5,1.5\n", Header::no).names == Names{"u", "v"});
  // Whole numbers below: the first line is a row like the others.
  CHECK(parse("0,1\n0.5,1\n").values == Tensor<double>{{0, 1}, {0.5, 1}});
  CHECK(parse("0,1\n").values == Tensor<double>{{0, 1}});
  CHECK(parse("2019\n2020\n").values == Tensor<double>{{2019}, {2020}});
  CHECK(parse("0,1.0\n0.5,1.5\n").values == Tensor<double>{{0, 1}, {0.5, 1.5}});
}

TEST_CASE("csv_table: a name for every place") {
  struct Case {
    const char* text;
    const char* message;
    Header header = Header::automatic;
  };

  const Case cases[] = {
      // Missing values
      {"1,2\n3,\n",
       "[--data] x.csv: line 2, column 2: a number is needed, but the value is missing"},
      {"x,y\n\n1,NA\n",
       "line 3, column 2 (y): a number is needed, but the value is missing: got \"NA\""},
      {"# x,y\n1,2\n\"\",4\n",
       "line 3, column 1 (x): a number is needed, but the value is missing"},
      {"1,2,\n3,4,\n", "line 1, column 3: a number is needed, but the value is missing"},
      {"NA,NA\n1,2\n",
       "line 1, column 1: a number is needed, but the value is missing: got \"NA\"; "
       "fill it in, or leave out the row; give --header yes if this line is a header"},
      {",0,1\n0,0.5,1.5\n", "line 1, column 1: a number is needed, but the value is missing"},
      {"7\n\n8\n", "line 2, column 1: a number is needed, but the value is missing"},
      {"# h\n7\n8\n \n\n9", "line 4, column 1 (h): a number is needed, but the value is missing"},
      // Numbers that are not finite
      {"x,y\n1,-inf\n", "line 2, column 2 (y): a finite number is needed, got \"-inf\""},
      {"inf\n1.5\n", "line 1, column 1: a finite number is needed, got \"inf\"; give --header yes"},
      {"1,1e400\n", "line 1, column 2: a number within the range of double precision is needed"},
      // Text
      {"1,2\n3,word\n", "line 2, column 2: a number is needed, got \"word\""},
      {"x;y\n1;1,5\n", "line 2, column 2 (y): a number is needed, got \"1,5\"; write numbers with"},
      {"\"a, b\",c\n1,2\n\"1,234\",2\n",
       "line 3, column 1 (a, b): a number is needed, got \"1,234\""},
      {"\"x\ny\",z\n1,\xc3\xa9\n", "line 3, column 2 (z): a number is needed, got \"\xc3\xa9\""},
      {"\"x\ny\",z\n\xff,1\n", "line 3, column 1 (x\\ny): a number is needed, got \"\\xff\""},
      {"a b\n1 2\n", "line 2, column 1 (a b): a number is needed, got \"1 2\"; separate fields by"},
      {"x\n1 # note\n", "line 2, column 1 (x): a number is needed, got \"1 # note\""},
      // Rows of other widths
      {"x,y\n1,2\n3\n",
       "line 3, column 2 (y): the row has 1 field, and the first line has 2, got \"3\""},
      {"x,y\n1,2,3,4\n",
       "line 2, column 3: the row has 4 fields, and the first line has 2, got "
       "\"1,2,3,4\""},
      {"1\n2,\n", "line 2, column 2: the row has 2 fields, and the first line has 1, got \"2,\""},
      {"1,2\n\"3\n,4\"\n", "line 2, column 1: a number is needed, got \"3\\n,4\""},
      // Quotes
      {"x,y\n1,\"2\n", "line 2, column 2 (y): the field has a quote that is never closed"},
      {"1,\"2\"3\n", "line 1, column 2: the field has text after the closing quote, got \"2\""},
      // First lines
      {"x,1.5\n1,2\n",
       "line 1, column 1: \"x\" is text, as in a header, and \"1.5\" is a number, as "
       "in a row; give --header yes or --header no"},
      {"1e400,y\n1,2\n", "line 1, column 2: \"y\" is text"},
      {"0,1\n0.5,1.5\n2,3.5\n", "line 1 may be a header: it has whole numbers only"},
      {"\"0\";\"1\"\n\"0.5\";1e2\n", "line 1 may be a header"},
      {"# c\n\n2019\n.5\n", "line 3 may be a header"},
      {"x,y\n1,2\n", "line 1, column 1: a number is needed, got \"x\"", Header::no},
      // No rows
      {"", "there are no rows of numbers in it"},
      {"# x,y\n", "there are no rows of numbers in it"},
      {"# a\nx,y\n", "line 2 was read as the header; give --header no if it is a row"},
      {"1,2\n", "line 1 was read as the header", Header::yes},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK_THROWS_WITH_AS(parse(c.text, c.header), doctest::Contains(c.message),
                         std::invalid_argument);
  }
}

TEST_CASE("csv_table: sizes from one entry to a million rows") {
  CHECK(parse("7").values == Tensor<double>{{7}});
  CHECK(parse("1,2").values == Tensor<double>{{1, 2}});
  CHECK(parse("1\n2\n\n\n").values == Tensor<double>{{1}, {2}});
  std::string wide;
  for (int i = 0; i < 2000; ++i) wide += std::to_string(i) + (i < 1999 ? "," : "\n");
  CHECK(parse(wide).values.shape() == Shape{1, 2000});
  std::string tall = "x,y\n";
  for (int i = 0; i < 1'000'000; ++i) tall += std::to_string(i) + ",0.5\n";
  const Table table = parse(tall);
  CHECK(table.values.shape() == Shape{1'000'000, 2});
  CHECK(table.values(999'999, 0) == 999'999);
  CHECK(table.values(999'999, 1) == 0.5);
}

TEST_CASE("csv: loose tables keep the first fault of each column and kind") {
  const FileCheck check("table", "x.csv");
  const LooseTable loose =
      parse_loose_csv("a,b,c\n1,,2\n3,x,4\n5,inf,NA\n7,8,9\n", Header::automatic, check);
  CHECK(loose.table.names == std::vector<std::string>{"a", "b", "c"});
  REQUIRE(loose.table.values.shape() == Shape{4, 3});
  for (const auto& [row, column] : {std::pair{0, 1}, {1, 1}, {2, 1}, {2, 2}})
    CHECK(std::isnan(loose.table.values(row, column)));
  CHECK(loose.table.values(3, 1) == 8);
  CHECK((loose.faults[0].missing.empty() && loose.faults[0].other.empty()));
  CHECK(loose.faults[1].missing.starts_with("line 2, column 2 (b): a number is needed"));
  CHECK(loose.faults[1].other.starts_with("line 3, column 2 (b): "));
  CHECK(loose.faults[2].missing.starts_with("line 4, column 3 (c): "));
  CHECK(columns_of(loose, std::vector<Index>{0}, check) == Tensor<double>{{1}, {3}, {5}, {7}});
  CHECK_THROWS_WITH_AS(columns_of(loose, std::vector<Index>{0, 2}, check),
                       doctest::Contains("x.csv: line 4, column 3 (c)"), std::invalid_argument);
}

TEST_CASE("csv: ragged rows are refused in loose tables as well") {
  CHECK_THROWS_AS(parse_loose_csv("a,b\n1,2\n3\n", Header::automatic, FileCheck("t", "x")),
                  std::invalid_argument);
}

}  // namespace
}  // namespace fjord::apps
