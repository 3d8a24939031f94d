#include "fjord/apps/common/run_folder.hpp"

#include <array>
#include <system_error>

#include <doctest/doctest.h>

#include "fjord/autodiff/files.hpp"
#include "fjord/tests/support/temporary_folder.hpp"

namespace fjord::apps {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

constexpr std::array names{"checkpoint", "model", "picture"};

TEST_CASE("run folder: one owner at a time, by whatever path") {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "runs/a";
  fs::create_directory_symlink(path, folder.path / "link");
  {
    const RunFolder run(path);
    CHECK(run.file("model") == path / "model");
    for (const fs::path& same : {path, folder.path / "link", folder.path / "runs/../runs/a"}) {
      CHECK_THROWS_WITH_AS(RunFolder{same},
                           ("[--out] another run is using " + same.string() +
                            "; wait for its end, or name another --out")
                               .c_str(),
                           std::invalid_argument);
    }
    CHECK_NOTHROW(RunFolder{folder.path / "runs"});
  }
  CHECK_NOTHROW(RunFolder{path});
  CHECK(fs::is_empty(path));
}

TEST_CASE("run folder: files of others are refused, and those of runs are not") {
  const TemporaryFolder folder;
  const RunFolder run(folder.path);
  const auto refuses = [&](const char* name) {
    CHECK_THROWS_WITH_AS(run.check_files(names),
                         doctest::Contains(("/" + std::string(name)).c_str()),
                         std::invalid_argument);
  };
  write_file(folder.path / "notes", "mine");
  CHECK_NOTHROW(run.check_files(names));
  write_file(folder.path / "picture", "mine");
  refuses("picture was not written by a run, because the folder has no checkpoint; move it away");
  write_file(folder.path / "checkpoint", "");
  CHECK_NOTHROW(run.check_files(names));
  fs::create_symlink(folder.path / "notes", folder.path / "model");
  refuses("model was not written by a run; move it away");
  fs::remove(folder.path / "model");
  fs::create_directory(folder.path / "model");
  refuses("model was not written by a run; move it away");
  fs::remove(folder.path / "model");
  fs::remove(folder.path / "checkpoint");
  fs::create_symlink(folder.path / "nowhere", folder.path / "checkpoint");
  refuses("checkpoint was not written by a run, because the folder has no checkpoint");
}

TEST_CASE("run folder: another folder in its place is not written to") {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "a";
  const RunFolder run(path);
  fs::rename(path, folder.path / "b");
  CHECK_THROWS_AS(run.file("model"), std::system_error);
  fs::create_directory(path);
  CHECK_THROWS_AS(run.file("model"), std::system_error);
  CHECK_NOTHROW(RunFolder{path});
}

TEST_CASE("run folder: a place where no folder can be") {
  const TemporaryFolder folder;
  write_file(folder.path / "file", "");
  CHECK_THROWS_WITH_AS(RunFolder{folder.path / "file/a"}, doctest::Contains("[write] "),
                       std::system_error);
}

}  // namespace
}  // namespace fjord::apps
