#include "fjord/autodiff/mapped_table.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/autodiff/files.hpp"
#include "fjord/autodiff/npy.hpp"
#include "fjord/tests/support/temporary_folder.hpp"

namespace fjord {
namespace {

// As numpy writes it: 2 rows of 3 numbers by columns.
std::string fortran_file() {
  std::string header = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }";
  header.append(63 - (10 + header.size()) % 64, ' ').append("\n");
  std::string bytes = std::string("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size());
  bytes += '\x00';
  bytes += header;
  for (const float x : {7.0F, 10.0F, 8.0F, 11.0F, 9.0F, 12.0F})
    bytes.append(reinterpret_cast<const char*>(&x), sizeof(x));
  return bytes;
}

std::string file_in(const test::TemporaryFolder& folder, const char* name) {
  return (folder.path / name).string();
}

template <class T>
std::vector<T> rows_of(const MappedTable& table, const std::vector<std::uint32_t>& rows) {
  std::vector<T> values(rows.size() * static_cast<std::size_t>(table.columns()));
  table.read(rows, values.data());
  return values;
}

TEST_CASE("mapped_table: rows of a folder of parts, in both orders and precisions") {
  const test::TemporaryFolder folder;
  save_npy(file_in(folder, "t-00000.npy"), Tensor<double>{{1, 2, 3}, {4, 5, 6}});
  write_file(file_in(folder, "t-00001.npy"), fortran_file());
  save_npy(file_in(folder, "t-00002.npy"), Tensor<float>{{13, 14, 15}});
  const MappedTable table(folder.path.string());
  CHECK(table.rows() == 5);
  CHECK(table.columns() == 3);
  CHECK(table.row_bytes() == 24);
  CHECK(rows_of<double>(table, {4, 0, 3}) == std::vector<double>{13, 1, 10, 14, 2, 11, 15, 3, 12});
  CHECK(rows_of<float>(table, {2}) == std::vector<float>{7, 8, 9});
  CHECK_THROWS_WITH_AS(rows_of<float>(table, {5}), doctest::Contains("there is no row 5"),
                       std::invalid_argument);
  const MappedTable one(file_in(folder, "t-00001.npy"));
  CHECK(rows_of<float>(one, {1}) == std::vector<float>{10, 11, 12});
}

// A file of a number and zeros, which take no room on the disk: so many rows of 16.
std::string zeros_in(const test::TemporaryFolder& folder, Index rows) {
  std::string file = file_in(folder, "zeros.npy");
  const std::string header = npy_header({rows, 16}, true);
  const double first = 1.5;
  write_file(file, header + std::string(reinterpret_cast<const char*>(&first), sizeof(first)));
  std::filesystem::resize_file(file, header.size() + static_cast<std::size_t>(rows) * 128);
  return file;
}

// Megabytes of files that are mapped into this process, as the system says.
double mapped_megabytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word && word != "RssFile:") {
  }
  double kilobytes = 0;
  status >> kilobytes;
  return kilobytes / 1024;
}

long faults() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

TEST_CASE("mapped_table: little of a large table stays in memory, and the rest is read again") {
  const test::TemporaryFolder folder;
  constexpr Index rows = 2'000'000;  // 256 MB
  const MappedTable table(zeros_in(folder, rows));
  std::vector<float> values(16'000);
  std::vector<std::uint32_t> some(1000);
  const double before = mapped_megabytes();
  double most = 0;
  for (std::uint32_t first = 0; first < rows; first += 1000) {
    std::iota(some.begin(), some.end(), first);
    table.read(some, values.data());
    if (first % 50'000 == 0) most = std::max(most, mapped_megabytes() - before);
  }
  CHECK(most < 60);
  CHECK(rows_of<double>(table, {1, 0})[1] == 1.5);
}

TEST_CASE("mapped_table: rows that are read again and again stay in memory") {
  const test::TemporaryFolder folder;
  const MappedTable table(zeros_in(folder, 100'000));
  std::vector<float> values(256);
  std::vector<std::uint32_t> some(16);
  for (std::uint32_t i = 0; i < 16; ++i) some[i] = i * 5000;
  table.read(some, values.data());
  const long before = faults();
  for (int i = 0; i < 10'000; ++i) table.read(some, values.data());
  CHECK(faults() - before < 100);
}

TEST_CASE("mapped_table: parts that are missing, cut short or of other columns are refused") {
  const auto refuses = [](const test::TemporaryFolder& folder, const char* part) {
    CHECK_THROWS_WITH_AS(MappedTable(folder.path.string()), doctest::Contains(part),
                         std::invalid_argument);
  };
  const Tensor<double> rows{{1, 2}};
  const test::TemporaryFolder folder;
  refuses(folder, "the folder has no part NAME-00000.npy");
  save_npy(file_in(folder, "t-00000.npy"), rows);
  save_npy(file_in(folder, "t-00002.npy"), rows);
  refuses(folder, "expected the part t-00001.npy, got t-00002.npy");
  save_npy(file_in(folder, "t-00001.npy"), Tensor<double>{{1, 2, 3}});
  refuses(folder, "t-00001.npy: 2 columns are needed, as in the first part, got 3");
  save_npy(file_in(folder, "t-00001.npy"), Tensor<double>::zeros({2}));
  refuses(folder, "t-00001.npy: an array of shape [rows, columns] is needed, got [2]");
  write_file(file_in(folder, "t-00001.npy"), format_npy<double>(rows).substr(0, 140));
  refuses(folder, "truncated");
  write_file(file_in(folder, "t-00001.npy"), "");
  refuses(folder, "t-00001.npy: this is not a .npy file");
  CHECK_THROWS_WITH_AS(MappedTable(file_in(folder, "none.npy")), doctest::Contains("No such file"),
                       std::invalid_argument);
}

}  // namespace
}  // namespace fjord
