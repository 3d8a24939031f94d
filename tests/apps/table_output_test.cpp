#include "fjord/apps/common/table_output.hpp"

#include <filesystem>
#include <limits>
#include <stdexcept>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/apps/common/table.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/autodiff/npy.hpp"
#include "fjord/tests/support/temporary_folder.hpp"

namespace fjord::apps {
namespace {

using test::TemporaryFolder;

TEST_CASE_TEMPLATE("table_output: what is saved reads back to the same bits", T, float, double) {
  const TemporaryFolder folder;
  const Tensor<T> points{{T(0.1), T(-1) / 3, std::numeric_limits<T>::min()},
                         {std::numeric_limits<T>::max(), T(0), T(12345.678)}};
  for (const char* name : {"points.csv", "points.CSV", "points.npy", "points"}) {
    CAPTURE(name);
    const std::string file = (folder.path / name).string();
    save_table(file, points);
    CHECK(load_table(file).values.as<T>() == points);
  }
  save_table((folder.path / "scores.csv").string(), Tensor<T>{T(1), T(0.5)});
  CHECK(read_file(folder.path / "scores.csv") == "1\n0.5\n");
  CHECK(read_file(folder.path / "points.CSV") == read_file(folder.path / "points.csv"));
  CHECK(load_npy<T>(folder.path / "points.npy") == points);
}

TEST_CASE("table_output: names come back as they were") {
  const TemporaryFolder folder;
  const std::string file = (folder.path / "points.csv").string();
  const std::vector<std::string> names{"plain", "a, b",       "say \"x\"", "#1",
                                       "",      "two\nlines", " pad "};
  const Tensor<double> values{{1.5, 2, 3, 4, 5, 6, 7}};
  save_table(file, values, names);
  CHECK(load_table(file).names == names);
  CHECK(load_table(file).values == values);
}

TEST_CASE("table_output: an output that is an input is refused under every name") {
  const TemporaryFolder folder;
  namespace fs = std::filesystem;
  const auto path = [&](const char* name) { return (folder.path / name).string(); };
  write_file(path("data"), "1\n");
  write_file(path("other"), "1\n");
  fs::create_symlink("data", path("soft"));
  fs::create_hard_link(path("data"), path("hard"));
  fs::create_directory(path("folder"));
  const std::vector<std::string> same{path("data"), path("soft"), path("hard"),
                                      path("folder/../data")};
  for (const std::string& out : same) {
    for (const std::string& in : same) {
      CAPTURE(out);
      CHECK_THROWS_WITH_AS(check_is_not_input(out, {{"--model", path("other")}, {"--data", in}}),
                           doctest::Contains("is the file that --data reads"),
                           std::invalid_argument);
    }
    CHECK_NOTHROW(check_is_not_input(out, {{"--model", path("other")}, {"--data", path("none")}}));
  }
  CHECK_NOTHROW(check_is_not_input(path("none"), {{"--data", path("none")}}));
  CHECK_NOTHROW(check_is_not_input("/dev/null", {{"--data", "/dev/null"}}));
}

}  // namespace
}  // namespace fjord::apps
