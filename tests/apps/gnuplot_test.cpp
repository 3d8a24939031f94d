#include "fjord/apps/common/gnuplot.hpp"

#include <cstdlib>
#include <fstream>
#include <optional>

#include <doctest/doctest.h>

#include "fjord/autodiff/files.hpp"
#include "fjord/tests/support/temporary_folder.hpp"

namespace fjord::apps {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

/// Makes a program called gnuplot, which is a script of the shell, the only one that can be found,
/// until its end.
class FakeGnuplot final {
 public:
  explicit FakeGnuplot(const std::string& commands) {
    const fs::path file = folder_.path / "gnuplot";
    std::ofstream(file) << "#!/bin/sh\n" << commands << "\n";
    fs::permissions(file, fs::perms::owner_all);
    if (const char* path = std::getenv("PATH")) path_ = path;
    setenv("PATH", folder_.path.c_str(), 1);
  }

  FakeGnuplot(const FakeGnuplot&) = delete;
  FakeGnuplot& operator=(const FakeGnuplot&) = delete;

  ~FakeGnuplot() { setenv("PATH", path_.value_or("").c_str(), 1); }

 private:
  TemporaryFolder folder_;
  std::optional<std::string> path_;
};

TEST_CASE("gnuplot: a script finds its files, and the picture is all that stays") {
  // $2 is the script, whose first line is the name of the file to draw.
  const FakeGnuplot gnuplot(
      "read -r name < \"$2\"; read -r data < \"$name\"; echo \"$1 $data\" > out.png");
  const TemporaryFolder folder;
  const fs::path file = folder.path / "a picture.png";
  {
    GnuplotPicture picture(file);
    picture.add_text("points.txt", "1 2\n");
    CHECK(picture.draw("points.txt\n", "out.png").empty());
  }
  CHECK(read_file(file) == "-d 1 2\n");
  CHECK(folder.files() == 1);
}

TEST_CASE("gnuplot: numbers are written in C order") {
  const TemporaryFolder folder;
  const fs::path file = folder.path / "x.png";
  GnuplotPicture picture(file);
  picture.add_numbers("table", Tensor<double>({{1, 2}, {3, 4}}));
  const std::vector<double> numbers{1, 2, 3, 4};
  picture.add_numbers("numbers", numbers);
  const std::string table = read_file(file.string() + ".tmp/table");
  CHECK(table.size() == 32);
  CHECK(table == read_file(file.string() + ".tmp/numbers"));
}

TEST_CASE("gnuplot: a failure is one line, and leaves the old picture") {
  const TemporaryFolder folder;
  const fs::path file = folder.path / "x.png";
  write_file(file, "old");
  {
    const FakeGnuplot gnuplot("echo 'line 3: no such' >&2\necho more >&2\nexit 1");
    CHECK(GnuplotPicture(file).draw("", "out.png") ==
          "no picture, because gnuplot failed: line 3: no such?more?");
  }
  {
    const FakeGnuplot gnuplot("");
    setenv("PATH", "/nowhere", 1);
    CHECK(GnuplotPicture(file).draw("", "out.png") ==
          "no picture, because gnuplot is missing; install gnuplot-nox");
  }
  CHECK(read_file(file) == "old");
  CHECK(folder.files() == 1);
}

TEST_CASE("gnuplot: what a killed run left is replaced") {
  const TemporaryFolder folder;
  const fs::path file = folder.path / "x.png";
  fs::create_directory(file.string() + ".tmp");
  write_file(file.string() + ".tmp/old", "old");
  { const GnuplotPicture picture(file); }
  CHECK(folder.files() == 0);
  CHECK_THROWS_WITH_AS(GnuplotPicture(folder.path / "none/x.png"), doctest::Contains("[write] "),
                       std::system_error);
}

}  // namespace
}  // namespace fjord::apps
