/// Files as strings of bytes, and the checks that readers of binary formats share.
///
/// Paths are strings, to which a std::filesystem::path converts by itself: including its header
/// would take as long as including all of this layer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "fjord/autodiff/tensor.hpp"

namespace fjord {

/// Reads a whole file, pipe or device.
///
/// Errors:  std::invalid_argument "[read] path: reason" if it is missing, unreadable or a
///          directory.
std::string read_file(const std::string& path);

/// Reads standard input to its end.
///
/// Errors:  std::invalid_argument "[read] standard input: reason" if it cannot be read.
std::string read_standard_input();

/// Writes a whole file: as FileOutput does, in one piece.
///
/// Errors:  std::system_error "[write] path: reason" if anything fails, a full disk included.
void write_file(const std::string& path, std::string_view bytes);

/// Finds out before long work whether write_file() could begin, without a change to what is there.
///
/// Errors:  std::system_error "[write] path: reason" if it could not.
void check_writable(const std::string& path);

/// Whether this file is where standard output goes: /dev/stdout, or the name of
/// the file that it was redirected to.
bool is_standard_output(const std::string& path);

/// Refuses what a file holds.
///
/// Errors:  std::invalid_argument "[op] file: message".
class FileCheck final {
 public:
  FileCheck(std::string_view op, std::string_view file) : op_(op), file_(file) {}

  /// The check of one part of the file, which messages then name too.
  FileCheck within(const std::string& part) const { return {op_, file_ + ": " + part}; }

  [[noreturn]] void fail(std::string_view message) const;

  /// Fails unless `holds`; the message is a text or a function that makes one.
  template <class Message>
  void operator()(bool holds, const Message& message) const {
    if (holds) return;
    if constexpr (std::is_invocable_v<Message>) {
      fail(message());
    } else {
      fail(message);
    }
  }

 private:
  std::string op_;
  std::string file_;
};

/// The shape with these sizes, checked so that neither it nor its strides can overflow.
///
/// Errors:  through `check`, if a size is negative, there are too many, or the bytes of all
///          entries, of `entry_bytes` each, are more than can be addressed even if sizes of 0 were
///          1.
Shape checked_shape(std::span<const Index> sizes, std::size_t entry_bytes, const FileCheck& check);

/// The unsigned number in up to 8 bytes, the lowest first.
std::uint64_t little_endian(std::string_view bytes);

/// Foreign bytes made fit for a message of one line: cut to `limit`, other than printable ASCII
/// shown as "?".
std::string printable(std::string_view bytes, std::size_t limit = 60);

/// The tensor whose entries are these bytes; there are exactly as many as the shape needs.
template <class T>
Tensor<T> tensor_of_bytes(std::string_view bytes, const Shape& shape, Order order);

/// Appends the entries' bytes in C order.
template <class T>
void append_bytes(std::string& bytes, const TensorView<T>& tensor);

}  // namespace fjord
