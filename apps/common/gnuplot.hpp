/// Pictures that gnuplot draws.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "fjord/autodiff/tensor.hpp"

namespace fjord::apps {

/// The bytes of a picture, or what went wrong, in one line.
struct Drawn {
  std::string bytes;
  std::string trouble;
};

/// A picture, and the files of data that it is drawn from: they are in a temporary folder next to
/// the picture, `<picture>.tmp`, which goes with this object. A folder of this name that a killed
/// run left is replaced.
class GnuplotPicture final {
 public:
  /// Errors:  std::system_error "[write] path: reason" if the folder cannot be made.
  explicit GnuplotPicture(std::filesystem::path picture);
  ~GnuplotPicture();
  GnuplotPicture(const GnuplotPicture&) = delete;
  GnuplotPicture& operator=(const GnuplotPicture&) = delete;

  /// Writes a file of text into the folder.
  ///
  /// Errors:  std::system_error "[write] path: reason" if it cannot be written; so for the next.
  void add_text(const std::string& name, std::string_view text);

  /// Writes a file of numbers, in C order; gnuplot reads them with format='%float64'.
  void add_numbers(const std::string& name, const Tensor<double>& numbers);
  void add_numbers(const std::string& name, std::span<const double> numbers);

  /// Runs a script of gnuplot in the folder; the script must `set output` to this name.
  ///
  /// Returns what went wrong, in one line, or nothing: a missing picture must not cost a run.
  /// Errors:  std::system_error "[write] path: reason" if the picture cannot be written.
  std::string draw(std::string_view script, const std::string& output);

  /// As draw(), but for the picture itself, which is not written.
  Drawn draw_bytes(std::string_view script, const std::string& output);

 private:
  std::filesystem::path picture_;
  std::filesystem::path folder_;
};

}  // namespace fjord::apps
