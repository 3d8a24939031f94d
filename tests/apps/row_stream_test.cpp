#include "fjord/apps/common/row_stream.hpp"

#include <filesystem>
#include <limits>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/apps/common/mapped_file.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/autodiff/npy.hpp"
#include "fjord/tests/support/temporary_folder.hpp"

namespace fjord::apps {
namespace {

// All rows of some columns, read so many at a time.
std::vector<double> rows_of(const std::string& file, std::vector<Index> columns, Index most) {
  const auto stream = open_rows(file, Header::automatic, "--data");
  stream->need(std::move(columns));
  std::vector<double> numbers;
  while (true) {
    const Tensor<double> rows = stream->next(most);
    if (rows.shape()[0] == 0) return numbers;
    CHECK(rows.shape()[0] <= most);
    for (const double number : rows.to_vector()) numbers.push_back(number);
  }
}

TEST_CASE("row_stream: CSV, arrays and folders of parts give the same rows, in any pieces") {
  const test::TemporaryFolder folder;
  const std::string csv = folder.path / "t.csv";
  const std::string npy = folder.path / "t.npy";
  const std::string parts = folder.path / "parts";
  write_file(csv, "a,b,c\n1,2,3.5\n4,5,6\n7,8,9\n10,11,12\n");
  const Tensor<double> values{{1, 2, 3.5}, {4, 5, 6}, {7, 8, 9}, {10, 11, 12}};
  save_npy(npy, values);
  std::filesystem::create_directory(parts);
  save_npy(parts + "/t-00000.npy", Tensor<double>{{1, 2, 3.5}});
  save_npy(parts + "/t-00001.npy", Tensor<double>{{4, 5, 6}, {7, 8, 9}, {10, 11, 12}});
  write_file(parts + "/columns.csv", "a,b,c\n");
  for (const std::string& file : {csv, npy, parts}) {
    CAPTURE(file);
    for (const Index most : {1, 3, 4, 100})
      CHECK(rows_of(file, {2, 0}, most) == std::vector<double>{3.5, 1, 6, 4, 9, 7, 12, 10});
    CHECK(load_table(file).values == values);
  }
  CHECK(open_rows(parts, Header::automatic, "--data")->names() ==
        std::vector<std::string>{"a", "b", "c"});
  CHECK(load_table(parts).names == std::vector<std::string>{"a", "b", "c"});
  write_file(parts + "/columns.csv", "a,b\n");
  CHECK_THROWS_WITH_AS(load_table(parts),
                       doctest::Contains("columns.csv: a name for each of the 3"),
                       std::invalid_argument);
}

TEST_CASE("row_stream: only what is needed must be a number") {
  const test::TemporaryFolder folder;
  const std::string csv = folder.path / "t.csv";
  write_file(csv, "a,b,c\n1,x,3\n4,,6\n7,inf,\n");
  CHECK(rows_of(csv, {0}, 2) == std::vector<double>{1, 4, 7});
  CHECK_THROWS_WITH_AS(rows_of(csv, {0, 2}, 2), doctest::Contains("line 4, column 3 (c): a number"),
                       std::invalid_argument);
  const std::string npy = folder.path / "t.npy";
  save_npy(npy, Tensor<double>{{1, 2}, {3, std::numeric_limits<double>::quiet_NaN()}});
  CHECK(rows_of(npy, {0}, 5) == std::vector<double>{1, 3});
  CHECK_THROWS_WITH_AS(rows_of(npy, {1}, 5), doctest::Contains("row 2, column 2: a finite number"),
                       std::invalid_argument);
}

TEST_CASE("row_stream: an array comes through a pipe") {
  const test::TemporaryFolder folder;
  const std::string pipe = folder.path / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const Tensor<double> values{{1, 2}, {3, 4}};
  std::thread writer([&] { write_file(pipe, format_npy<double>(values)); });
  CHECK(rows_of(pipe, {1, 0}, 1) == std::vector<double>{2, 1, 4, 3});
  writer.join();
}

TEST_CASE("mapped_file: numbers beyond a precision are refused in it only") {
  const test::TemporaryFolder folder;
  const std::string npy = folder.path / "t.npy";
  save_npy(npy, Tensor<double>{{1, 1e300}});
  const MappedFile file(npy, "--data");
  const std::vector<std::uint32_t> rows{0};
  const std::vector<Index> columns{1};
  double large = 0;
  file.read(rows, columns, &large);
  CHECK(large == 1e300);
  float small = 0;
  CHECK_THROWS_WITH_AS(file.read(rows, columns, &small),
                       doctest::Contains("row 1, column 2: 1e+300 is beyond"),
                       std::invalid_argument);
}

}  // namespace
}  // namespace fjord::apps
