#include "fjord/apps/common/table.hpp"

#include <cmath>
#include <stdexcept>

#include <doctest/doctest.h>

#include "fjord/autodiff/npy.hpp"
#include "fjord/tests/support/temporary_folder.hpp"

namespace fjord::apps {
namespace {

using test::TemporaryFolder;

TEST_CASE("table: text with its names, whatever the file's name") {
  const TemporaryFolder folder;
  for (const char* name : {"points.csv", "points.CSV", "points.txt", "points"}) {
    const std::string file = (folder.path / name).string();
    write_file(file, "x,y\n1,2\n3,4\n");
    const Table table = load_table(file);
    CHECK(table.names == std::vector<std::string>{"x", "y"});
    CHECK(table.values == Tensor<double>{{1, 2}, {3, 4}});
  }
}

TEST_CASE("table: arrays must be tables of finite numbers, whatever the file's name") {
  const TemporaryFolder folder;
  const std::string file = (folder.path / "points").string();
  const auto load = [&](const Tensor<double>& array) {
    save_npy(file, array);
    return load_table(file).values;
  };
  CHECK(load({{1, 2}, {3, 4}, {5, 6}}) == Tensor<double>{{1, 2}, {3, 4}, {5, 6}});
  CHECK_THROWS_WITH_AS(load({{1, 2}, {3, NAN}}),
                       doctest::Contains("row 2, column 2: a finite number is needed, got nan"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(load({{1, -INFINITY}}), doctest::Contains("row 1, column 2"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(
      load({1, 2}), doctest::Contains("got [2]; save it as [2, 1], x.reshape(-1, 1), for 2 rows"),
      std::invalid_argument);
  CHECK_THROWS_WITH_AS(load(Tensor<double>::zeros({0, 2})),
                       doctest::Contains("got [0, 2], which has no entries"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(load(Tensor<double>::zeros({2, 1, 3})),
                       doctest::Contains("got [2, 1, 3]; save it with two axes"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(load(Tensor<double>(1)), doctest::Contains("got []; save it"),
                       std::invalid_argument);
}

TEST_CASE("table: a name that ends in .npy promises an array, which has no header") {
  const TemporaryFolder folder;
  const std::string file = (folder.path / "points.NPY").string();
  write_file(file, "1,2\n");
  CHECK_THROWS_AS(load_table(file), std::invalid_argument);
  save_npy(file, Tensor<float>{{1, 2}});
  CHECK(load_table(file, Header::no).values == Tensor<double>{{1, 2}});
  CHECK_THROWS_WITH_AS(load_table(file, Header::yes), doctest::Contains("--header yes"),
                       std::invalid_argument);
}

TEST_CASE("table: files of other kinds are named") {
  const TemporaryFolder folder;
  const std::string file = (folder.path / "points.csv").string();
  write_file(file, "\x1f\x8b\x08");
  CHECK_THROWS_WITH_AS(load_table(file),
                       doctest::Contains("points.csv: this is compressed by gzip"),
                       std::invalid_argument);
}

TEST_CASE("table: a number beyond a precision is named with its place") {
  const Tensor<double> points{{1, -3.4e38}, {2, -1e39}};
  const std::vector<std::string> names{"x", "height"};
  const FileCheck check("--data", "x.csv");
  CHECK(values_as<double>(points, {}, check) == points);
  CHECK_THROWS_WITH_AS(values_as<float>(points, {}, check),
                       doctest::Contains("[--data] x.csv: row 2, column 2: -1e+39 is beyond"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(values_as<float>(points, names, check),
                       doctest::Contains("row 2, column 2 (height): -1e+39 is beyond"),
                       std::invalid_argument);
  CHECK(values_as<float>({{0.1, 1e-60}}, {}, check) == Tensor<float>{{0.1F, 0}});
}

}  // namespace
}  // namespace fjord::apps
