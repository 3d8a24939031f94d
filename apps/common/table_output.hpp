/// Tables of numbers, written as .npy and CSV.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>

#include "fjord/autodiff/communicator.hpp"
#include "fjord/autodiff/file_streams.hpp"
#include "fjord/autodiff/tensor.hpp"

namespace fjord::apps {

/// A file that a program reads, and the option that names it.
struct Input {
  std::string option;
  std::string file;
};

/// Refuses an output that is one of the inputs, under whatever name: it would be lost.
///
/// Errors:  std::invalid_argument that names both options.
void check_is_not_input(const std::string& out, std::initializer_list<Input> inputs);

/// Refuses a name whose ending promises a format that save_table() does not write, such as .xlsx.
///
/// Errors:  std::invalid_argument "[--out] ...".
void check_table_name(const std::string& out);

/// Finds out before long work whether save_table() could begin; errors as check_writable().
void check_table_writable(const std::string& out);

/// Whether a table goes where standard output goes.
bool is_table_on_standard_output(const std::string& out);

/// Writes a table: to standard output as CSV if the name is "-", to a CSV file if it ends in .csv,
/// small or capital, and to a .npy file in the precision of T otherwise. CSV has as many digits as
/// read back to the same numbers.
///
/// Shapes:  values [rows, columns] or [rows]; the names of the columns, or none. A .npy file has no
///          names.
/// Errors:  std::system_error if writing fails; see write_file().
template <class T>
void save_table(const std::string& out, const Tensor<T>& values,
                std::span<const std::string> names = {});

/// A table that is written some rows at a time, as save_table() writes it at once.
///
/// Its file has its name, and all of its content, once it is closed; before, nothing is under that
/// name that was not there. A pipe gets CSV as it comes, and an array at the end.
///
/// Of several ranks, all make the same calls. Each writes its share of an array's bytes at their
/// places in the file, which all must see; rank 0 writes all else.
/// Errors:  std::system_error if writing fails, in every function; RankFailure on several ranks.
template <class T>
class TableWriter final {
 public:
  /// Rows of so many columns; 0 for a list of numbers. `ranks` must outlive it.
  TableWriter(const std::string& out, Index columns, std::span<const std::string> names = {},
              const Communicator& ranks = single_process());

  /// Whether rank 0 keeps all rows until the end: an array for a pipe.
  bool keeps_rows() const { return !is_csv_ && !is_placed_; }

  /// Shapes:  values [rows, columns] or, of a list, [rows].
  void append(const Tensor<T>& values);

  void close();

 private:
  std::string header() const;
  void place(const Tensor<T>& values);
  void write_at(std::size_t place, std::string_view bytes);

  const Communicator& ranks_;
  std::optional<FileOutput> file_;  // of rank 0
  std::optional<FilePart> part_;    // of the others, if the rows have places
  Index columns_;
  Index rows_ = 0;
  bool is_csv_;
  bool is_placed_ = false;  // an array in a new file
  std::string later_;       // the bytes of an array for what can only be written from first to last
};

extern template class TableWriter<float>;
extern template class TableWriter<double>;

}  // namespace fjord::apps
