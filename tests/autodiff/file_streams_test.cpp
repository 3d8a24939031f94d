#include "fjord/autodiff/file_streams.hpp"

#include <array>
#include <filesystem>
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
    file.write("new, ");
    file.write("and more");
    CHECK(read_file(path) == "old");
    CHECK(folder.files() == 2);
    file.write_at(0, "NEW");
    file.write("!");
    file.close();
  }
  CHECK(read_file(path) == "NEW, and more!");
  CHECK(folder.files() == 1);
  { FileOutput(path).write("never closed"); }
  CHECK(read_file(path) == "NEW, and more!");
  CHECK(folder.files() == 1);
}

TEST_CASE("file_streams: others write parts of the new file at their places") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path / "file";
  FileOutput file(path);
  {
    FilePart part(path, file.beside());
    part.write_at(6, "67");
    part.close();
  }
  file.write_at(0, "012345");
  CHECK_FALSE(std::filesystem::exists(path));
  file.close();
  CHECK(read_file(path) == "01234567");
  CHECK_THROWS_WITH_AS(FilePart(path, folder.path / "none"),
                       doctest::Contains("file: No such file"), std::system_error);
}

TEST_CASE("file_streams: what is no regular file is written as it comes") {
  FileOutput file("/dev/null");
  CHECK(file.beside().empty());
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
