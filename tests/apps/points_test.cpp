#include "fjord/apps/common/points.hpp"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "fjord/autodiff/files.hpp"
#include "fjord/autodiff/npy.hpp"
#include "fjord/tests/support/temporary_folder.hpp"

namespace fjord::apps {
namespace {

using test::TemporaryFolder;

Tensor<double> load_text(const char* text) {
  const TemporaryFolder folder;
  write_file(folder.path / "points.csv", text);
  return load_points((folder.path / "points.csv").string());
}

TEST_CASE("points: text is read with comments, header, blanks and all line ends") {
  struct Case {
    const char* text;
    Tensor<double> expected;
  };

  const Case cases[] = {
      {"1,2\n3,4\n", {{1, 2}, {3, 4}}},
      {"1,2\n3,4", {{1, 2}, {3, 4}}},
      {"x,y\r\n1,2\r\n3,4\r\n", {{1, 2}, {3, 4}}},
      {"# made by hand\n\n  \nx,y # names\n 1 ,\t2 # first\n#\n3,4\n", {{1, 2}, {3, 4}}},
      {"\xef\xbb\xbf+1,-2e-3\n.5,5.\n", {{1, -2e-3}, {0.5, 5}}},
      {"7\n8\n", {{7}, {8}}},
      {"1e-999,-1e-400\n", {{0, 0}}},
      {"0.1,4.9e-324\n", {{0.1, std::numeric_limits<double>::denorm_min()}}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(load_text(c.text) == c.expected);
  }
}

TEST_CASE("points: text that is no table is refused with line and column") {
  struct Case {
    const char* text;
    const char* message;
  };

  const Case cases[] = {
      {"1,2\n3,x\n", "line 2, column 2: a finite number is needed, got \"x\""},
      {"# a\nx,y\n\n1,\n", "line 4, column 2: a finite number is needed, got \"\""},
      {"1,nan\n", "line 1, column 2: a finite number is needed, got \"nan\""},
      {"-inf,1\n", "line 1, column 1: a finite number is needed, got \"-inf\""},
      {"1e999\n", "line 1, column 1: a finite number is needed, got \"1e999\""},
      {"+-1\n2\n+-1\n", "line 3, column 1: a finite number is needed, got \"+-1\""},
      {"x,1\n", "line 1, column 1: a finite number is needed, got \"x\""},
      {"1 2\n3 4\n", "line 2, column 1: a finite number is needed, got \"3 4\""},
      {"1,2\n3\n", "line 2, column 2: the row has 1 fields, and the first line has 2"},
      {"x,y\n1,2,3\n", "line 2, column 3: the row has 3 fields, and the first line has 2"},
      {"1\n2,\n", "line 2, column 2: the row has 2 fields, and the first line has 1"},
      {"", "there are no rows"},
      {"x,y\n", "there are no rows"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK_THROWS_WITH_AS(load_text(c.text), doctest::Contains(c.message), std::invalid_argument);
  }
}

TEST_CASE("points: arrays must be tables of finite numbers, whatever the file's name") {
  const TemporaryFolder folder;
  const std::string file = (folder.path / "points").string();
  const auto load = [&](const Tensor<double>& array) {
    save_npy(file, array);
    return load_points(file);
  };
  CHECK(load({{1, 2}, {3, 4}, {5, 6}}) == Tensor<double>{{1, 2}, {3, 4}, {5, 6}});
  CHECK_THROWS_WITH_AS(load({{1, 2}, {3, NAN}}), doctest::Contains("row 2, column 2"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(load({{1, -INFINITY}}), doctest::Contains("row 1, column 2"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(load({1, 2}), doctest::Contains("of shape [2]"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(load(Tensor<double>::zeros({0, 2})), doctest::Contains("of shape [0, 2]"),
                       std::invalid_argument);
  write_file(folder.path / "points.npy", "1,2\n");
  CHECK_THROWS_AS(load_points((folder.path / "points.npy").string()), std::invalid_argument);
}

TEST_CASE("points: a number beyond a precision is named with its place") {
  const Tensor<double> points{{1, -3.4e38}, {2, -1e39}};
  const FileCheck check("--data", "x.csv");
  CHECK(points_as<double>(points, check) == points);
  CHECK_THROWS_WITH_AS(points_as<float>(points, check),
                       doctest::Contains("[--data] x.csv: row 2, column 2: -1e+39 is beyond"),
                       std::invalid_argument);
  CHECK(points_as<float>({{0.1, 1e-60}}, check) == Tensor<float>{{0.1F, 0}});
}

TEST_CASE_TEMPLATE("points: what is saved reads back to the same bits", T, float, double) {
  const TemporaryFolder folder;
  const Tensor<T> points{{T(0.1), T(-1) / 3, std::numeric_limits<T>::min()},
                         {std::numeric_limits<T>::max(), T(0), T(12345.678)}};
  for (const char* name : {"points.csv", "points.npy", "points"}) {
    CAPTURE(name);
    const std::string file = (folder.path / name).string();
    save_points(file, points);
    CHECK(load_points(file).as<T>() == points);
  }
  save_points((folder.path / "scores.csv").string(), Tensor<T>{T(1), T(0.5)});
  CHECK(read_file(folder.path / "scores.csv") == "1\n0.5\n");
  CHECK(load_npy<T>(folder.path / "points.npy") == points);
}

}  // namespace
}  // namespace fjord::apps
