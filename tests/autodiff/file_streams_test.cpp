#include "fjord/autodiff/file_streams.hpp"

#include <array>
#include <string>
#include <system_error>

#include <doctest/doctest.h>

#include "fjord/autodiff/files.hpp"
#include "fjord/tests/support/temporary_folder.hpp"

namespace fjord {
namespace {

TEST_CASE("file_streams: a file has its name once it is closed, with the old content until then") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path / "file";
  write_file(path, "old");
  {
    FileOutput file(path);
    CHECK(file.is_beside());
    file.write("new, ");
    file.write("and more");
    CHECK(read_file(path) == "old");
    CHECK(folder.files() == 2);
    file.write_at_begin("NEW");
    file.write("!");
    file.close();
  }
  CHECK(read_file(path) == "NEW, and more!");
  CHECK(folder.files() == 1);
  { FileOutput(path).write("never closed"); }
  CHECK(read_file(path) == "NEW, and more!");
  CHECK(folder.files() == 1);
}

TEST_CASE("file_streams: what is no regular file is written as it comes") {
  FileOutput file("/dev/null");
  CHECK_FALSE(file.is_beside());
  file.write("bytes");
  file.close();
  FileOutput full("/dev/full");
  CHECK_THROWS_WITH_AS(full.write("bytes"), doctest::Contains("[write] /dev/full: No space left"),
                       std::system_error);
}

TEST_CASE("file_streams: a file is read in pieces") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path / "file";
  write_file(path, "abcde");
  FileInput file(path);
  CHECK(file.size() == 5);
  std::array<char, 3> piece{};
  CHECK(file.read(piece) == 3);
  CHECK(std::string(piece.data(), 3) == "abc");
  CHECK(file.read(piece) == 2);
  CHECK(std::string(piece.data(), 2) == "de");
  CHECK(file.read(piece) == 0);
  CHECK_THROWS_WITH_AS(FileInput(folder.path / "none"), doctest::Contains("none: No such file"),
                       std::invalid_argument);
}

}  // namespace
}  // namespace fjord
