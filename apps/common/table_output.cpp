#include "fjord/apps/common/table_output.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <sys/stat.h>
#include <type_traits>
#include <unistd.h>
#include <vector>

#include "fjord/apps/common/csv_reader.hpp"
#include "fjord/apps/common/file_kind.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/autodiff/npy.hpp"

namespace fjord::apps {
namespace {

constexpr const char* stream = "-";

std::string path_of(const std::string& out) {
  return out == stream ? "/dev/stdout" : out;
}

// Whether it exists and is a regular file, links followed; then `status` describes it.
bool is_regular_file(const std::string& file, int stream_number, struct stat& status) {
  const int result =
      file == stream ? ::fstat(stream_number, &status) : ::stat(file.c_str(), &status);
  return result == 0 && S_ISREG(status.st_mode);
}

std::string header_text(std::span<const std::string> names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + csv_quoted(name);
  return names.empty() ? text : text + '\n';
}

template <class T>
std::string csv_text(const Tensor<T>& values) {
  std::string text;
  const auto columns = values.shape().rank() == 2 ? static_cast<std::size_t>(values.shape()[1]) : 1;
  std::size_t column = 0;
  for (const T value : values.to_vector()) {
    std::array<char, 32> number{};
    text.append(number.data(), std::to_chars(number.begin(), number.end(), value).ptr);
    column = (column + 1) % columns;
    text += column == 0 ? '\n' : ',';
  }
  return text;
}

}  // namespace

void check_is_not_input(const std::string& out, std::initializer_list<Input> inputs) {
  struct stat target {};

  if (!is_regular_file(out, STDOUT_FILENO, target)) return;
  for (const Input& input : inputs) {
    struct stat source {};

    const bool is_same = is_regular_file(input.file, STDIN_FILENO, source) &&
                         source.st_dev == target.st_dev && source.st_ino == target.st_ino;
    require(!is_same, "--out", [&] {
      const std::string name = input.file == stream ? "standard input" : input.file;
      return out + " is the file that " + input.option + " reads (" + name + "); name another file";
    });
  }
}

void check_table_name(const std::string& out) {
  for (const std::string_view ending :
       {".txt", ".tsv", ".dat", ".json", ".xls", ".xlsx", ".ods", ".npz", ".parquet", ".feather",
        ".arrow", ".h5", ".hdf5", ".pkl", ".gz", ".zip", ".safetensors"}) {
    require(!has_ending(out, ending), "--out", [&] {
      return out + ": tables are written as .npy or .csv, got the ending " + std::string(ending) +
             "; name a file with one of these two";
    });
  }
}

void check_table_writable(const std::string& out) {
  check_writable(path_of(out));
}

bool is_table_on_standard_output(const std::string& out) {
  return is_standard_output(path_of(out));
}

template <class T>
TableWriter<T>::TableWriter(const std::string& out, Index columns,
                            std::span<const std::string> names, const Communicator& ranks)
    : ranks_(ranks), columns_(columns), is_csv_(out == stream || has_ending(out, ".csv")) {
  const std::string beside = from_first_rank(ranks_, [&] {
    file_.emplace(path_of(out));
    if (is_csv_) file_->write(header_text(names));
    return file_->beside();
  });
  is_placed_ = !is_csv_ && !beside.empty();
  agree(ranks_, [&] {
    if (is_placed_ && !file_) part_.emplace(path_of(out), beside);
  });
}

// Of an array with the rows so far; its size does not depend on them.
template <class T>
std::string TableWriter<T>::header() const {
  return npy_header(columns_ == 0 ? Shape{rows_} : Shape{rows_, columns_},
                    std::is_same_v<T, double>);
}

template <class T>
void TableWriter<T>::append(const Tensor<T>& values) {
  agree(ranks_, [&] {
    if (is_placed_) return place(values);
    if (!file_) return;
    if (is_csv_) return file_->write(csv_text(values));
    append_bytes<T>(later_, values);
  });
  rows_ += values.shape()[0];
}

// Not by MPI's own functions for files: where the disk is full, those of Open MPI 4.1 tell of
// success and of fewer bytes, and never why.
template <class T>
void TableWriter<T>::place(const Tensor<T>& values) {
  // The file is dealt in stripes, so that a rank has its pages for itself: of a page that two
  // machines write, a network file system may keep the bytes of one.
  constexpr std::size_t stripe = std::size_t{1} << 16;
  const auto size = static_cast<std::size_t>(ranks_.size());
  const auto rank = static_cast<std::size_t>(ranks_.rank());
  std::string bytes;
  append_bytes<T>(bytes, values);
  std::string_view rest = bytes;
  const Index columns = std::max(columns_, Index{1});
  std::size_t at = header().size() + static_cast<std::size_t>(rows_ * columns) * sizeof(T);
  while (!rest.empty()) {
    const std::string_view piece = rest.substr(0, stripe - at % stripe);
    if (at / stripe % size == rank) write_at(at, piece);
    at += piece.size();
    rest.remove_prefix(piece.size());
  }
}

template <class T>
void TableWriter<T>::write_at(std::size_t place, std::string_view bytes) {
  if (part_) return part_->write_at(place, bytes);
  file_->write_at(place, bytes);
}

template <class T>
void TableWriter<T>::close() {
  agree(ranks_, [&] {
    if (part_) return part_->close();
    if (!file_ || is_csv_) return;
    if (is_placed_) return file_->write_at(0, header());
    file_->write(header() + later_);
  });
  agree(ranks_, [&] {
    if (file_) file_->close();
  });
}

template <class T>
void save_table(const std::string& out, const Tensor<T>& values,
                std::span<const std::string> names) {
  TableWriter<T> table(out, values.shape().rank() == 2 ? values.shape()[1] : 0, names);
  table.append(values);
  table.close();
}

template class TableWriter<float>;
template class TableWriter<double>;
template void save_table(const std::string&, const Tensor<float>&, std::span<const std::string>);
template void save_table(const std::string&, const Tensor<double>&, std::span<const std::string>);

}  // namespace fjord::apps
