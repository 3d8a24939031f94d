#include "fjord/apps/common/run_folder.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "fjord/autodiff/errors.hpp"

namespace fjord::apps {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_with(const fs::path& path, int error) {
  throw std::system_error(error, std::generic_category(), "[write] " + path.string());
}

int open_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw std::system_error(error, "[write] " + path.string());
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail_with(path, errno);
  return descriptor;
}

}  // namespace

RunFolder::RunFolder(fs::path path) : path_(std::move(path)), descriptor_(open_folder(path_)) {
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  const int error = errno;
  ::close(descriptor_);
  require(error != EWOULDBLOCK, "--out", [&] {
    return "another run is using " + path_.string() + "; wait for its end, or name another --out";
  });
  fail_with(path_, error);
}

RunFolder::~RunFolder() {
  ::close(descriptor_);
}

void RunFolder::check_files(std::span<const char* const> names) const {
  const bool has_checkpoint = fs::exists(path_ / names.front());
  for (const char* name : names) {
    const fs::path file = path_ / name;
    const fs::file_status status = fs::symlink_status(file);
    if (!fs::exists(status)) continue;
    require(fs::is_regular_file(status) && has_checkpoint, "--out", [&] {
      return file.string() + " was not written by a run" +
             (has_checkpoint ? "" : ", because the folder has no checkpoint") +
             "; move it away, or name another --out";
    });
  }
}

fs::path RunFolder::file(const std::string& name) const {
  struct stat owned {};

  struct stat named {};

  if (::fstat(descriptor_, &owned) != 0 || ::stat(path_.c_str(), &named) != 0) {
    fail_with(path_, errno);
  }
  if (owned.st_dev != named.st_dev || owned.st_ino != named.st_ino) fail_with(path_, ESTALE);
  return path_ / name;
}

}  // namespace fjord::apps
