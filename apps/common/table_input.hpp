/// The files that tables are read from.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fjord/apps/common/csv_reader.hpp"
#include "fjord/apps/common/table.hpp"
#include "fjord/autodiff/file_streams.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/autodiff/tensor.hpp"

namespace fjord::apps {

/// A file, or standard input for "-", open at its beginning, whose kind is known.
class TableInput final {
 public:
  /// `op` is what errors name, as FileCheck does.
  ///
  /// Errors:  std::invalid_argument if it cannot be read, or is of a kind that is not, which it
  ///          names.
  TableInput(const std::string& file, std::string_view op);

  const std::string& name() const { return name_; }  ///< as errors have it

  const FileCheck& check() const { return check_; }

  bool is_array() const { return is_array_; }  ///< of numpy, by its bytes or its name

  /// All bytes, if none have been taken.
  std::string bytes();

  /// The bytes of CSV text; they are read from here, which must outlive it.
  TextSource text();

 private:
  std::size_t read(std::span<char> bytes);

  std::string name_;
  FileCheck check_;
  FileInput input_;
  std::string head_;  // what was read to know the kind, and has not been taken yet
  bool is_array_;
};

/// The array of an input that is one, read as a whole; entries that are not finite are NaN.
///
/// Errors:  std::invalid_argument for what is not an array [rows, columns] with entries.
LooseTable array_in(TableInput input);

/// A table of numbers that may not be finite.
LooseTable loose_array(Tensor<double> values, std::vector<std::string> names);

/// Refuses --header yes for an array.
///
/// Errors:  std::invalid_argument through `check`.
void check_array_header(Header header, const FileCheck& check);

}  // namespace fjord::apps
