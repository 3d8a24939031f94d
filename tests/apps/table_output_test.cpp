#include "fjord/apps/common/table_output.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <sys/resource.h>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/apps/common/table.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/autodiff/npy.hpp"
#include "fjord/autodiff/random.hpp"
#include "fjord/tests/support/ranks.hpp"
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

// Rows in blocks, as ranks write them.
void write_on(const Communicator& ranks, const std::string& out, const Tensor<double>& values) {
  const Index columns = values.shape()[1];
  TableWriter<double> table(out, columns, {}, ranks);
  CHECK_FALSE(table.keeps_rows());
  for (Index first = 0; first < values.shape()[0]; first += 3000) {
    std::vector<std::uint32_t> rows(
        static_cast<std::size_t>(std::min(Index{3000}, values.shape()[0] - first)));
    std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(first));
    table.append(chosen_rows(values, rows));
  }
  CHECK_FALSE(std::filesystem::exists(out));
  table.close();
}

// Three stripes of 64 kB, and a part of a fourth.
Tensor<double> striped_rows() {
  Tensor<double> values = Tensor<double>::zeros({8500, 3});
  RandomKey(1).normal(values.storage());
  return values;
}

TEST_CASE("table_output: ranks write the same file, whatever their number") {
  const TemporaryFolder folder;
  const Tensor<double> values = striped_rows();
  for (const char* name : {"out.npy", "out.csv"}) {
    CAPTURE(name);
    save_table(folder.path / name, values);
    const std::string expected = read_file(folder.path / name);
    for (const int size : {1, 2, 3, 5}) {
      std::filesystem::remove(folder.path / name);
      test::run_ranks(
          size, [&](const Communicator& ranks) { write_on(ranks, folder.path / name, values); });
      CHECK(read_file(folder.path / name) == expected);
    }
  }
  CHECK(load_npy<double>(folder.path / "out.npy") == values);
}

TEST_CASE("table_output: a disk that is full for one rank fails on all, and leaves nothing") {
  const TemporaryFolder folder;
  const Tensor<double> values = striped_rows();
  rlimit old_limit{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old_limit) == 0);
  const rlimit limit{66'000, old_limit.rlim_max};  // just within the stripe of rank 1
  const auto old_action = std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  const auto failures = test::failures_of_ranks(3, [&](const Communicator& ranks) {
    write_on(ranks, folder.path / "out.npy", Tensor<double>(columns_view(values, 0, 1)));
  });
  ::setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, old_action);
  for (const std::exception_ptr& failure : failures) {
    REQUIRE(failure);
    try {
      std::rethrow_exception(failure);
    } catch (const RankFailure& error) {
      CHECK(error.rank() == 1);
      CHECK(std::string(error.what()).ends_with("out.npy: File too large"));
    }
  }
  CHECK(folder.files() == 0);
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
