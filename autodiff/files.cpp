#include "fjord/autodiff/files.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <limits>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include "fjord/autodiff/errors.hpp"

namespace fjord {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little,
              "tensors are read and written as little-endian bytes");

/// Owns an open file.
class Descriptor final {
 public:
  explicit Descriptor(int number) : number_(number) {}

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  int number() const { return number_; }

  // False if what was written before turns out not to have reached the disk (quota, network).
  bool close() { return ::close(std::exchange(number_, -1)) == 0 || errno == EINTR; }

 private:
  int number_;
};

/// Removes a file at the end unless it was released.
class Temporary final {
 public:
  explicit Temporary(fs::path path) : path_(std::move(path)) {}

  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  ~Temporary() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  void release() { path_.clear(); }

 private:
  fs::path path_;
};

[[noreturn]] void fail_write(const std::string& path, int error) {
  throw std::system_error(error, std::generic_category(), "[write] " + path);
}

void write_all(int number, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(number, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_write(name, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void write_directly(const std::string& path, std::string_view bytes) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.number() < 0) fail_write(path, errno);
  write_all(file.number(), bytes, path);
  if (!file.close()) fail_write(path, errno);
}

// Standard output or error, if it is this file: opened a second time, a file would be written from
// its start again, over what the stream wrote, and renamed, it would be lost to the stream.
std::optional<int> standard_stream(const struct stat& file) {
  for (const int number : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat stream {};

    const bool known = ::fstat(number, &stream) == 0;
    if (known && stream.st_dev == file.st_dev && stream.st_ino == file.st_ino) return number;
  }
  return std::nullopt;
}

// Unlike canonical(), it also follows a link to a file that does not exist yet.
fs::path link_target(fs::path path) {
  constexpr int max_links = 40;  // as the kernel, which has then refused the path already
  std::error_code error;
  for (int links = 0; links < max_links && fs::is_symlink(fs::symlink_status(path, error));
       ++links) {
    path = path.parent_path() / fs::read_symlink(path, error);
  }
  return path;
}

// Makes a file beside `target`; open() itself says whether a name is free, so no two writers share
// one.
std::pair<int, fs::path> open_beside(const fs::path& target, mode_t mode) {
  constexpr int attempts = 100;
  for (int n = 0;; ++n) {
    fs::path path = target;
    path += "." + std::to_string(::getpid()) + "-" + std::to_string(n) + ".tmp";
    const int number = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (number >= 0 || errno != EEXIST || n == attempts) return {number, path};
  }
}

void replace(const std::string& name, std::string_view bytes, std::optional<mode_t> old_mode) {
  const fs::path target = link_target(name);
  const auto [number, path] = open_beside(target, old_mode.value_or(0666));
  Descriptor file(number);
  if (file.number() < 0) fail_write(name, errno);
  Temporary temporary(path);
  // Only the umask can have narrowed the mode; not every file system knows modes, so a failure is
  // no loss.
  if (old_mode) static_cast<void>(::fchmod(file.number(), *old_mode));
  write_all(file.number(), bytes, name);
  // No fsync: what is written outlives the process without it, and it would cost a short epoch a
  // large part of its time on a slow disk.
  if (!file.close()) fail_write(name, errno);
  if (::rename(path.c_str(), target.c_str()) != 0) fail_write(name, errno);
  temporary.release();
}

std::string read_all(int number, const std::string& name) {
  struct stat status {};

  const auto check = [&](bool holds) {
    require(holds, "read", [&] { return name + ": " + std::generic_category().message(errno); });
  };
  check(number >= 0 && ::fstat(number, &status) == 0);
  // One byte more than there should be, so that the end shows without growing. Pipes have no size.
  std::string bytes(static_cast<std::size_t>(S_ISREG(status.st_mode) ? status.st_size : 0) + 1,
                    '\0');
  std::size_t size = 0;
  for (ssize_t count = 1; count != 0;) {
    if (size == bytes.size()) bytes.resize(2 * size + 4096);
    count = ::read(number, bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    check(count >= 0);
    size += static_cast<std::size_t>(count);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace

std::string read_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return read_all(file.number(), path);
}

std::string read_standard_input() {
  return read_all(STDIN_FILENO, "standard input");
}

void write_file(const std::string& path, std::string_view bytes) {
  struct stat status {};

  if (::stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT) fail_write(path, errno);
    return replace(path, bytes, std::nullopt);
  }
  if (const std::optional<int> stream = standard_stream(status))
    return write_all(*stream, bytes, path);
  if (!S_ISREG(status.st_mode)) return write_directly(path, bytes);
  // A rename asks the folder alone, but a write-protected file is meant to stay.
  if (::access(path.c_str(), W_OK) != 0) fail_write(path, errno);
  replace(path, bytes, status.st_mode & 07777);
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
  const Descriptor file(number);
  if (file.number() < 0) fail_write(path, errno);
  const Temporary temporary(beside);
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
