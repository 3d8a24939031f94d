#include "fjord/autodiff/file_targets.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <system_error>
#include <unistd.h>

namespace fjord {

void fail_write(const std::string& path, int error) {
  throw std::system_error(error, std::generic_category(), "[write] " + path);
}

std::optional<int> standard_stream(const struct stat& file) {
  for (const int number : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat stream {};

    const bool known = ::fstat(number, &stream) == 0;
    if (known && stream.st_dev == file.st_dev && stream.st_ino == file.st_ino) return number;
  }
  return std::nullopt;
}

// Unlike canonical(), it also follows a link to a file that does not exist yet.
std::string link_target(const std::string& path) {
  namespace fs = std::filesystem;
  constexpr int max_links = 40;  // as the kernel, which has then refused the path already
  fs::path target = path;
  std::error_code error;
  for (int links = 0; links < max_links && fs::is_symlink(fs::symlink_status(target, error));
       ++links) {
    target = target.parent_path() / fs::read_symlink(target, error);
  }
  return target.string();
}

std::pair<int, std::string> open_beside(const std::string& target, mode_t mode) {
  constexpr int attempts = 100;
  for (int n = 0;; ++n) {
    std::string path = target + "." + std::to_string(::getpid()) + "-" + std::to_string(n) + ".tmp";
    const int number = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (number >= 0 || errno != EEXIST || n == attempts) return {number, std::move(path)};
  }
}

}  // namespace fjord
