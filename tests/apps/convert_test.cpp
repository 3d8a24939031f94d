#include "fjord/apps/density/convert.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/apps/common/table.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/autodiff/npy.hpp"
#include "fjord/tests/support/temporary_folder.hpp"

namespace fjord::apps::density {
namespace {

namespace fs = std::filesystem;

TEST_CASE("convert: parts have the rows and the names of the table") {
  const test::TemporaryFolder folder;
  const std::string csv = folder.path / "big.csv";
  const std::string parts = folder.path / "parts";
  write_file(csv, "a,\"b, c\"\n0.1,2\n3,1e-300\n5,6\n7,8\n9,10\n");
  // Two rows of two numbers in each part.
  REQUIRE(convert({csv, parts + "/", ""}, 32) == 0);
  CHECK(load_npy<double>(parts + "/big-00000.npy") == Tensor<double>{{0.1, 2}, {3, 1e-300}});
  CHECK(load_npy<double>(parts + "/big-00001.npy") == Tensor<double>{{5, 6}, {7, 8}});
  CHECK(load_npy<double>(parts + "/big-00002.npy") == Tensor<double>{{9, 10}});
  const Table table = load_table(parts);
  CHECK(table.names == std::vector<std::string>{"a", "b, c"});
  CHECK(table.values == load_table(csv).values);
  CHECK(folder.files() == 2);
}

TEST_CASE("convert: where a table is refused, no folder is left") {
  const test::TemporaryFolder folder;
  const std::string csv = folder.path / "big.csv";
  write_file(csv, "a,b\n1,2\n3,4\n5,x\n");
  CHECK_THROWS_WITH_AS(convert({csv, folder.path / "parts", ""}, 16),
                       doctest::Contains("big.csv: line 4, column 2 (b): a number is needed"),
                       std::invalid_argument);
  CHECK(folder.files() == 1);
  fs::create_directory(folder.path / "parts");
  write_file(folder.path / "parts" / "mine", "x");
  write_file(csv, "1,2.5\n");
  CHECK_THROWS_WITH_AS(convert({csv, folder.path / "parts", ""}),
                       doctest::Contains("parts is there and not an empty folder"),
                       std::invalid_argument);
  fs::remove(folder.path / "parts" / "mine");
  CHECK(convert({csv, folder.path / "parts", ""}) == 0);
  CHECK(load_table(folder.path / "parts").names.empty());
}

}  // namespace
}  // namespace fjord::apps::density
