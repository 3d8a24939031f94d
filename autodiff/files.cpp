#include "fjord/autodiff/files.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <limits>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/file_streams.hpp"
#include "fjord/autodiff/file_targets.hpp"

namespace fjord {
namespace {

static_assert(std::endian::native == std::endian::little,
              "tensors are read and written as little-endian bytes");

std::string read_all(FileInput input) {
  // One byte more than there should be, so that the end shows without growing. Pipes have no size.
  std::string bytes(input.size() + 1, '\0');
  std::size_t size = 0;
  for (std::size_t count = 1; count != 0; size += count) {
    if (size == bytes.size()) bytes.resize(2 * size + 4096);
    count = input.read(std::span<char>(bytes).subspan(size));
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace

std::string read_file(const std::string& path) {
  return read_all(FileInput(path));
}

std::string read_standard_input() {
  return read_all(FileInput::standard());
}

void write_file(const std::string& path, std::string_view bytes) {
  FileOutput file(path);
  file.write(bytes);
  file.close();
}

void check_writable(const std::string& path) {
  struct stat status {};

  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) fail_write(path, errno);
  if (exists && standard_stream(status)) return;
  if (exists && S_ISDIR(status.st_mode)) fail_write(path, EISDIR);
  if (exists && ::access(path.c_str(), W_OK) != 0) fail_write(path, errno);
  // Opened and closed, a pipe would end for its reader.
  if (exists && !S_ISREG(status.st_mode)) return;
  const auto [number, beside] = open_beside(link_target(path), 0600);
  const FileDescriptor file(number);
  if (number < 0) fail_write(path, errno);
  ::unlink(beside.c_str());
}

bool is_standard_output(const std::string& path) {
  struct stat status {};

  return ::stat(path.c_str(), &status) == 0 && standard_stream(status) == STDOUT_FILENO;
}

void FileCheck::fail(std::string_view message) const {
  fjord::fail(op_, file_ + ": " + std::string(message));
}

Shape checked_shape(std::span<const Index> sizes, std::size_t entry_bytes, const FileCheck& check) {
  check(sizes.size() <= Shape::max_rank, [&] {
    return std::to_string(sizes.size()) + " axes, at most " + std::to_string(Shape::max_rank) +
           " are read";
  });
  Index room = std::numeric_limits<Index>::max() / static_cast<Index>(entry_bytes);
  for (const Index size : sizes) {
    check(size >= 0, [&] { return "a size must not be negative, got " + std::to_string(size); });
    room /= std::max(size, Index{1});
    check(room > 0, "the shape has more entries than can be addressed");
  }
  return Shape(sizes);
}

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return number;
}

std::string printable(std::string_view bytes, std::size_t limit) {
  std::string text(bytes.substr(0, limit));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return bytes.size() > limit ? text + "..." : text;
}

template <class T>
Tensor<T> tensor_of_bytes(std::string_view bytes, const Shape& shape, Order order) {
  // An empty shape may have other axes of any size, which a copy would walk along.
  if (shape.size() == 0) return Tensor<T>::zeros(shape);
  std::vector<T> values(bytes.size() / sizeof(T));
  std::copy_n(bytes.data(), values.size() * sizeof(T), reinterpret_cast<char*>(values.data()));
  return Tensor<T>::from(shape, values, order);
}

template <class T>
void append_bytes(std::string& bytes, const TensorView<T>& tensor) {
  if (tensor.shape().size() == 0) return;
  std::vector<T> values(static_cast<std::size_t>(tensor.shape().size()));
  tensor.copy_to(values.data(), Order::c);
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

template Tensor<float> tensor_of_bytes(std::string_view, const Shape&, Order);
template Tensor<double> tensor_of_bytes(std::string_view, const Shape&, Order);
template void append_bytes(std::string&, const TensorView<float>&);
template void append_bytes(std::string&, const TensorView<double>&);

}  // namespace fjord
