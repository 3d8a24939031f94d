#include "fjord/autodiff/file_streams.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/file_targets.hpp"

namespace fjord {
namespace {

FileDescriptor open_directly(const std::string& path, const std::string& name) {
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.number() < 0) fail_write(name, errno);
  return file;
}

void write_bytes_at(int number, std::size_t place, std::string_view bytes,
                    const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(number, bytes.data(), bytes.size(), static_cast<off_t>(place));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_write(path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
    place += static_cast<std::size_t>(written);
  }
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (number_ >= 0) ::close(number_);
}

bool FileDescriptor::close() {
  return ::close(std::exchange(number_, -1)) == 0 || errno == EINTR;
}

FileInput::FileInput(const std::string& path)
    : opened_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), number_(opened_.number()), name_(path) {
  find_size();
}

FileInput::FileInput() : opened_(-1), number_(STDIN_FILENO), name_("standard input") {
  find_size();
}

void FileInput::check(bool holds) const {
  require(holds, "read", [&] { return name_ + ": " + std::generic_category().message(errno); });
}

void FileInput::find_size() {
  struct stat status {};

  check(number_ >= 0 && ::fstat(number_, &status) == 0);
  if (S_ISREG(status.st_mode)) size_ = static_cast<std::size_t>(status.st_size);
}

std::size_t FileInput::read(std::span<char> bytes) {
  while (true) {
    const ssize_t count = ::read(number_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    check(count >= 0);
    return static_cast<std::size_t>(count);
  }
}

FileOutput::FileOutput(const std::string& path) : path_(path), file_(open()) {}

FileDescriptor FileOutput::open() {
  struct stat status {};

  if (::stat(path_.c_str(), &status) != 0) {
    if (errno != ENOENT) fail_write(path_, errno);
    return open_new(std::nullopt);
  }
  stream_ = standard_stream(status);
  if (stream_) return FileDescriptor(-1);
  if (!S_ISREG(status.st_mode)) return open_directly(path_, path_);
  // A rename asks the folder alone, but a write-protected file is meant to stay.
  if (::access(path_.c_str(), W_OK) != 0) fail_write(path_, errno);
  return open_new(status.st_mode & 07777);
}

FileDescriptor FileOutput::open_new(std::optional<mode_t> old_mode) {
  target_ = link_target(path_);
  const auto [number, path] = open_beside(target_, old_mode.value_or(0666));
  FileDescriptor file(number);
  if (number < 0) fail_write(path_, errno);
  beside_ = path;
  // Only the umask can have narrowed the mode; not every file system knows modes, so a failure is
  // no loss.
  if (old_mode) static_cast<void>(::fchmod(number, *old_mode));
  return file;
}

FileOutput::~FileOutput() {
  if (!beside_.empty()) ::unlink(beside_.c_str());
}

void FileOutput::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(number(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_write(path_, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void FileOutput::write_at(std::size_t place, std::string_view bytes) {
  write_bytes_at(number(), place, bytes, path_);
}

void FileOutput::close() {
  if (stream_) return;
  // No fsync: what is written outlives the process without it, and it would cost a short epoch a
  // large part of its time on a slow disk.
  if (!file_.close()) fail_write(path_, errno);
  if (beside_.empty()) return;
  if (::rename(beside_.c_str(), target_.c_str()) != 0) fail_write(path_, errno);
  beside_.clear();
}

FilePart::FilePart(const std::string& path, const std::string& beside)
    : path_(path), file_(open_directly(beside, path)) {}

void FilePart::write_at(std::size_t place, std::string_view bytes) {
  write_bytes_at(file_.number(), place, bytes, path_);
}

void FilePart::close() {
  if (!file_.close()) fail_write(path_, errno);
}

}  // namespace fjord
