#include "fjord/apps/common/mapped_file.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <utility>

#include "fjord/apps/common/csv_reader.hpp"
#include "fjord/apps/common/table_input.hpp"
#include "fjord/autodiff/npy.hpp"

namespace fjord::apps {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_beside(const std::string& file, Index columns, std::string_view op) {
  const fs::path path = fs::path(file) / column_names_file;
  if (!fs::is_directory(file) || !fs::exists(path)) return {};
  const std::string text = read_file(path);
  CsvReader reader(text);
  std::vector<std::string> names;
  if (reader.next_row()) {
    do names.emplace_back(reader.field().text);
    while (!reader.row_ended());
  }
  FileCheck(op, path.string())(static_cast<Index>(names.size()) == columns, [&] {
    return "a name for each of the " + std::to_string(columns) + " columns is needed, got " +
           std::to_string(names.size());
  });
  return names;
}

}  // namespace

MappedFile::MappedFile(const std::string& file, std::string_view op)
    : table_(file), check_(op, file), names_(names_beside(file, table_.columns(), op)) {
  check_(table_.rows() > 0 && table_.columns() > 0, [&] {
    return table_shape_message({table_.rows(), table_.columns()});
  });
}

template <class T>
void MappedFile::read(std::span<const std::uint32_t> rows, std::span<const Index> columns,
                      T* values) const {
  // Few at a time: what many rows touch in the files would be resident at once.
  constexpr std::size_t at_once = 256;
  std::vector<double> all(std::min(at_once, rows.size()) *
                          static_cast<std::size_t>(table_.columns()));
  for (std::size_t first = 0; first < rows.size(); first += at_once) {
    const auto some = rows.subspan(first, std::min(at_once, rows.size() - first));
    table_.read(some, all.data());
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const double* from = all.data() + static_cast<std::size_t>(columns[k]) * some.size();
      T* to = values + k * rows.size() + first;
      for (std::size_t i = 0; i < some.size(); ++i) {
        to[i] = static_cast<T>(from[i]);
        if (!std::isfinite(to[i])) [[unlikely]]
          check_.fail(array_fault(some[i] + std::size_t{1},
                                  static_cast<std::size_t>(columns[k]) + 1, names_, from[i]));
      }
    }
  }
}

LooseTable loose_table_of(const MappedFile& file) {
  Tensor<double> values = Tensor<double>::zeros({file.rows(), file.columns()});
  std::vector<std::uint32_t> rows(static_cast<std::size_t>(file.rows()));
  std::iota(rows.begin(), rows.end(), 0U);
  file.table().read(rows, values.data());
  return loose_array(std::move(values), file.names());
}

std::unique_ptr<MappedFile> open_mapped(const std::string& file, Header header,
                                        std::string_view op) {
  const bool is_folder = fs::is_directory(file);
  if (!is_folder && !fs::is_regular_file(file)) return nullptr;
  if (!is_folder && !TableInput(file, op).is_array()) return nullptr;
  check_array_header(header, FileCheck(op, file));
  return std::make_unique<MappedFile>(file, op);
}

template void MappedFile::read(std::span<const std::uint32_t>, std::span<const Index>,
                               float*) const;
template void MappedFile::read(std::span<const std::uint32_t>, std::span<const Index>,
                               double*) const;

}  // namespace fjord::apps
