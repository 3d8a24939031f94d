#include "fjord/autodiff/files.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/resource.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/tests/support/temporary_folder.hpp"

namespace fjord {
namespace {

namespace fs = std::filesystem;

/// A path and the message with which it must be refused.
struct Refusal {
  fs::path path;
  const char* message;
};

using test::TemporaryFolder;

/// While it lives, a process of the superuser, whom no permission stops, is one of nobody, who owns
/// the given paths.
class WithoutPrivileges final {
 public:
  explicit WithoutPrivileges(const std::vector<fs::path>& paths) {
    if (!is_superuser_) return;
    constexpr ::uid_t nobody = 65534;
    for (const fs::path& path : paths) REQUIRE(::chown(path.c_str(), nobody, nobody) == 0);
    REQUIRE(::setresuid(nobody, nobody, 0) == 0);
  }

  ~WithoutPrivileges() {
    if (is_superuser_ && ::setresuid(0, 0, 0) != 0) std::abort();
  }

  WithoutPrivileges(const WithoutPrivileges&) = delete;
  WithoutPrivileges& operator=(const WithoutPrivileges&) = delete;

 private:
  bool is_superuser_ = ::geteuid() == 0;
};

TEST_CASE("files: what was written is read, byte by byte") {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "data";
  for (const std::string& bytes :
       {std::string(), std::string("a\0\r\n\xff", 5), std::string(100'000, 'x')}) {
    write_file(path, bytes);
    CHECK(read_file(path) == bytes);
  }
  CHECK(folder.files() == 1);
  CHECK(read_file("/dev/null").empty());
  CHECK(read_file("/proc/self/status").starts_with("Name:"));  // claims a size of 0
}

TEST_CASE("files: what cannot be read names path and reason") {
  const TemporaryFolder folder;
  write_file(folder.path / "file", "x");
  const std::vector<Refusal> cases = {
      {folder.path / "none", "none: No such file or directory"},
      {folder.path, ": Is a directory"},
      {folder.path / "file" / "inside", "inside: Not a directory"},
      {"", "[read] : No such file or directory"},
  };
  for (const Refusal& c : cases) {
    CAPTURE(c.path);
    CHECK_THROWS_WITH_AS(read_file(c.path), doctest::Contains(c.message), std::invalid_argument);
  }
}

TEST_CASE("files: what cannot be written names path and reason and leaves nothing") {
  const TemporaryFolder folder;
  write_file(folder.path / "file", "x");
  const std::vector<Refusal> cases = {
      {"/dev/full", "[write] /dev/full: No space left on device"},
      {folder.path, ": Is a directory"},
      {folder.path / "none" / "x", "x: No such file or directory"},
      {folder.path / "file" / "x", "x: Not a directory"},
      {folder.path / std::string(300, 'n'), "File name too long"},
  };
  for (const Refusal& c : cases) {
    CAPTURE(c.path);
    CHECK_THROWS_WITH_AS(write_file(c.path, "bytes"), doctest::Contains(c.message),
                         std::system_error);
    CHECK(folder.files() == 1);
    if (c.path == "/dev/full") continue;  // which only a write finds out
    CHECK_THROWS_WITH_AS(check_writable(c.path), doctest::Contains(c.message), std::system_error);
    CHECK(folder.files() == 1);
  }
}

TEST_CASE("files: asking whether a file can be written changes nothing") {
  const TemporaryFolder folder;
  write_file(folder.path / "old", "content");
  fs::create_symlink("none", folder.path / "link");
  for (const fs::path& path :
       {folder.path / "old", folder.path / "new", folder.path / "link", fs::path("/dev/full")}) {
    CAPTURE(path);
    check_writable(path);
    CHECK(folder.files() == 2);
  }
  CHECK(read_file(folder.path / "old") == "content");
}

TEST_CASE("files: a write that fails halfway keeps the old file and removes the new one") {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "data";
  write_file(path, "old");
  rlimit old_limit{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old_limit) == 0);
  const rlimit limit{1000, old_limit.rlim_max};
  const auto old_action = std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  CHECK_THROWS_WITH_AS(write_file(path, std::string(5000, 'n')),
                       doctest::Contains("data: File too large"), std::system_error);
  ::setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, old_action);
  CHECK(read_file(path) == "old");
  CHECK(folder.files() == 1);
}

TEST_CASE("files: a file is replaced as a whole and keeps its mode") {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "data";
  write_file(path, "old");
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  fs::create_hard_link(path, folder.path / "opened_before");
  write_file(path, "new");
  CHECK(read_file(path) == "new");
  CHECK(read_file(folder.path / "opened_before") == "old");
  CHECK(fs::status(path).permissions() == static_cast<fs::perms>(0640));
}

TEST_CASE("files: a write-protected file stays") {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "data";
  write_file(path, "old");
  REQUIRE(::chmod(path.c_str(), 0440) == 0);
  const WithoutPrivileges nobody({folder.path, path});
  CHECK_THROWS_WITH_AS(write_file(path, "new"), doctest::Contains("Permission denied"),
                       std::system_error);
  CHECK_THROWS_WITH_AS(check_writable(path), doctest::Contains("Permission denied"),
                       std::system_error);
  CHECK(read_file(path) == "old");
}

TEST_CASE("files: symbolic links are followed, also to a file that is yet to come") {
  const TemporaryFolder folder;
  fs::create_directory(folder.path / "real");
  fs::create_symlink("real/data", folder.path / "relative");
  fs::create_symlink(folder.path / "relative", folder.path / "chain");
  for (const char* bytes : {"first", "second"}) {
    write_file(folder.path / "chain", bytes);
    CHECK(fs::is_symlink(folder.path / "chain"));
    CHECK(fs::is_symlink(folder.path / "relative"));
    CHECK(read_file(folder.path / "real" / "data") == bytes);
  }
  fs::create_symlink("circle", folder.path / "circle");
  CHECK_THROWS_AS(write_file(folder.path / "circle", "x"), std::system_error);
}

TEST_CASE("files: a pipe is written directly") {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  check_writable(path);  // which does not wait for a reader
  const int reader = ::open(path.c_str(), O_RDWR | O_NONBLOCK);
  write_file(path, "through");
  std::array<char, 16> bytes{};
  CHECK(::read(reader, bytes.data(), bytes.size()) == 7);
  CHECK(std::string(bytes.data()) == "through");
  ::close(reader);
  CHECK(fs::is_fifo(path));
}

TEST_CASE("files: a redirected standard output is continued, not replaced") {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "log";
  const int log = ::open(path.c_str(), O_WRONLY | O_CREAT, 0600);
  std::fflush(stdout);
  const int terminal = ::dup(STDOUT_FILENO);
  REQUIRE(::dup2(log, STDOUT_FILENO) == STDOUT_FILENO);
  bool whole = ::write(STDOUT_FILENO, "before ", 7) == 7;
  write_file("/dev/stdout", "bytes ");
  whole = whole && is_standard_output("/dev/stdout") && is_standard_output(path);
  whole = ::write(STDOUT_FILENO, "after", 5) == 5 && whole;
  ::dup2(terminal, STDOUT_FILENO);
  ::close(terminal);
  ::close(log);
  CHECK(whole);
  CHECK(read_file(path) == "before bytes after");
  CHECK_FALSE(is_standard_output(path));
  CHECK_FALSE(is_standard_output(folder.path / "none"));
}

TEST_CASE("files: shapes from outside are refused before they overflow") {
  const FileCheck check("load", "model");
  constexpr Index big = Index{1} << 62;
  CHECK(checked_shape(std::vector<Index>{}, 8, check) == Shape{});
  CHECK(checked_shape(std::vector<Index>{0, 3}, 8, check) == Shape{0, 3});

  struct Case {
    std::vector<Index> sizes;
    const char* message;
  };

  const std::vector<Case> cases = {
      {{2, -1}, "[load] model: a size must not be negative, got -1"},
      {{big}, "more entries than can be addressed"},
      {{0, big, 4}, "more entries than can be addressed"},  // strides would overflow
      {std::vector<Index>(17, 1), "17 axes, at most 16 are read"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.message);
    CHECK_THROWS_WITH_AS(checked_shape(c.sizes, 8, check), doctest::Contains(c.message),
                         std::invalid_argument);
  }
}

TEST_CASE("files: foreign bytes become one printable line") {
  CHECK(printable("weight") == "weight");
  CHECK(printable("a\nb\x1b\xc3\xa9") == "a?b???");
  CHECK(printable(std::string(100, 'x'), 3) == "xxx...");
  CHECK(little_endian("\x01\x02") == 0x0201);
}

}  // namespace
}  // namespace fjord
