#include "fjord/apps/density/columns.hpp"

#include <stdexcept>

#include <doctest/doctest.h>

namespace fjord::apps::density {
namespace {

using Columns = std::vector<Index>;

const std::vector<std::string> names{"height", "3", "a, b", "4", "twice", "twice"};

Columns chosen(const std::string& words) {
  return chosen_columns("columns", words, names, 6);
}

void refused(const std::string& words, const char* part) {
  CAPTURE(words);
  CHECK_THROWS_WITH_AS(chosen(words), doctest::Contains(part), std::invalid_argument);
}

TEST_CASE("columns: words are names, or numbers from 1") {
  CHECK(chosen("height") == Columns{0});
  CHECK(chosen("2,1") == Columns{1, 0});
  CHECK(chosen("\"a, b\",height,6") == Columns{2, 0, 5});
  CHECK(chosen("4") == Columns{3});  // both mean the same column
  CHECK(chosen_columns("columns", "2,3", {}, 3) == Columns{1, 2});
}

TEST_CASE("columns: words that fit no column, two, or one again are refused") {
  refused("width", "\"width\"");
  refused("0", "\"0\"");
  refused("7", "\"7\"");
  refused("1x", "\"1x\"");
  refused("", "\"\"");
  refused("height,", "\"\"");
  refused("-1", "\"-1\"");
  refused("3", "name of column 2");
  refused("twice", "two columns");
  refused("1,height", "given twice");
  CHECK_THROWS_WITH_AS(chosen_columns("weights", "w", {}, 3),
                       doctest::Contains("[--weights] a number from 1 to 3 is needed"),
                       std::invalid_argument);
}

}  // namespace
}  // namespace fjord::apps::density
