#include "fjord/autodiff/mapped_table.hpp"

#include <filesystem>
#include <stdexcept>
#include <string>
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

TEST_CASE("mapped_table: rows that were let go are read again") {
  const test::TemporaryFolder folder;
  save_npy(file_in(folder, "t.npy"), Tensor<double>{{1}, {2}});
  const MappedTable table(file_in(folder, "t.npy"));
  // Every call touches 64 kB at least, and all pages go after 32 MB.
  const std::vector<std::uint32_t> rows{1, 0};
  for (int i = 0; i < 1100; ++i) {
    std::vector<double> values(2);
    table.read<double>(rows, values.data());
    CHECK(values == std::vector<double>{2, 1});
  }
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
