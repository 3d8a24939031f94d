#include "fjord/apps/density/large_table.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/apps/density/data.hpp"
#include "fjord/apps/density/fit.hpp"
#include "fjord/apps/density/flow_rows.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/autodiff/npy.hpp"
#include "fjord/tests/support/ranks.hpp"
#include "fjord/tests/support/temporary_folder.hpp"
#include "fjord/tests/support/watched_run.hpp"

namespace fjord::apps::density {
namespace {

// Two columns, of which the second is rounded to whole numbers, and positive.
Tensor<double> some_rows(Index count) {
  Tensor<double> rows = Tensor<double>::zeros({count, 2});
  RandomKey(1).normal(rows.storage());
  for (Index i = 0; i < count; ++i) rows(i, 1) = std::round(std::exp(rows(i, 1) + 3)) + 1;
  return rows;
}

LargeTable table_in(const std::string& file) {
  LargeTable table;
  table.file = std::make_shared<const MappedFile>(file, "table");
  table.columns = {0, 1};
  return table;
}

template <class T>
Tensor<T> read_all(const flows::RowSource<T>& source) {
  std::vector<std::uint32_t> rows(static_cast<std::size_t>(source.rows()));
  std::iota(rows.begin(), rows.end(), 0U);
  Tensor<T> values = Tensor<T>::zeros({source.rows(), source.dim()});
  source.read(rows, values.data(), nullptr);
  return values;
}

TEST_CASE("large_table: the parts have their shares, up to the limits, and training the rest") {
  const test::TemporaryFolder folder;
  save_npy(folder.path / "t.npy", some_rows(5000));
  LargeTable table = table_in(folder.path / "t.npy");
  split_large(table, 0.1, 0.3, {.training = 4000, .held_out = 2000}, RandomKey(2));
  CHECK(table.validation.size() == 500);
  CHECK(table.test.size() == 1000);  // at most 2000 numbers, two a row
  CHECK(table.sample.size() == 2000);
  std::set<std::uint32_t> all(table.validation.begin(), table.validation.end());
  all.insert(table.test.begin(), table.test.end());
  CHECK(all == std::set<std::uint32_t>(table.held_out.begin(), table.held_out.end()));
  CHECK(table.held_out.size() == 1500);
  all.insert(table.sample.begin(), table.sample.end());
  CHECK(all.size() == 3500);
  CHECK(table.training_rows() == 3500);
  // Rows that are held out are spread over the table: their mean has a deviation of 29.
  const double mean = std::accumulate(table.held_out.begin(), table.held_out.end(), 0.0) / 1500;
  CHECK(std::abs(mean - 2500) < 150);
}

TEST_CASE_TEMPLATE("large_table: rows have the bits that they have in memory", T, float, double) {
  const test::TemporaryFolder folder;
  const std::string file = folder.path / "t.npy";
  save_npy(file, some_rows(3000));
  FitOptions options;
  options.table = file;
  const Data data = load_data(options, single_process());
  REQUIRE(data.large == nullptr);
  REQUIRE(data.roundings[1] == 1);
  REQUIRE(data.maps[1].shape == ColumnMap::Shape::positive);
  const RandomKey smoothing(7);
  const FlowRows<T> in_memory(data, file, smoothing);
  const Tensor<T> whole = read_all(in_memory.all());
  LargeTable table = table_in(file);
  split_large(table, 0.1, 0.1, {}, RandomKey(2));
  const LargeUnits units{data.maps, data.roundings, smoothing};
  CHECK(read_all(LargeRows<T>(table, units, true)) == whole);
  std::vector<std::uint32_t> training;
  for (std::uint32_t i = 0; i < 3000; ++i)
    if (!std::ranges::binary_search(table.held_out, i)) training.push_back(i);
  const flows::TableRows<T> rows(whole);
  CHECK(read_all(LargeRows<T>(table, units, false)) ==
        read_all<T>(flows::ChosenRows<T>(rows, training)));
}

TEST_CASE("large_table: ranks find the ranges together, and a number that is none") {
  const test::TemporaryFolder folder;
  const std::string file = folder.path / "t.npy";
  Tensor<double> rows = some_rows(9000);
  rows(8999, 0) = 77;
  save_npy(file, rows);
  test::run_ranks(3, [&](const Communicator& ranks) {
    LargeTable table = table_in(file);
    find_ranges(table, ranks);
    CHECK(table.ranges[0].high == 77);
    CHECK(table.ranges[1].low == std::ranges::min(rows.storage().subspan(9000)));
  });
  rows(8999, 0) = std::numeric_limits<double>::quiet_NaN();
  save_npy(file, rows);
  const auto failures = test::failures_of_ranks(3, [&](const Communicator& ranks) {
    LargeTable table = table_in(file);
    find_ranges(table, ranks);
  });
  for (const std::exception_ptr& failure : failures) {
    try {
      std::rethrow_exception(failure);
    } catch (const RankFailure& error) {
      CHECK(error.rank() == 2);
      CHECK(std::string(error.what())
                .ends_with("row 9000, column 1: a finite number is needed, got nan"));
    }
  }
}

FitOptions quick_fit(const std::string& table, const std::string& out) {
  FitOptions options;
  options.table = table;
  options.out = out;
  options.preset = "fast";
  options.epochs = 1;
  options.batch = 400;
  options.hidden = "4";
  options.blocks = 1;
  options.members = 1;
  options.threads = 1;
  return options;
}

TEST_CASE("fit: a large table gives the same model on any number of ranks and threads") {
  const test::TemporaryFolder folder;
  const std::string table = folder.path / "t.npy";
  save_npy(table, some_rows(1200));
  const RunLimits limits{.memory = {.whole = 1000, .training = 1000, .held_out = 1000}};
  std::set<std::string> models;
  for (const int size : {1, 2, 3, 4}) {
    for (const int threads : {1, 2}) {
      CAPTURE(size);
      CAPTURE(threads);
      const std::string out = folder.path / (std::to_string(size) + "-" + std::to_string(threads));
      FitOptions options = quick_fit(table, out);
      options.batch = 800;  // seven shards, the last one short
      options.threads = threads;
      test::run_ranks(size,
                      [&](const Communicator& ranks) { CHECK(fit(options, ranks, limits) == 0); });
      models.insert(read_file(out + "/model.safetensors"));
      // At least a thousand rows of each part, where there are as many.
      const Tensor<double> split = load_npy<double>(out + "/split.npy");
      CHECK(split.shape() == Shape{1200});
      CHECK(std::ranges::count(split.storage(), 1) == 120);
      CHECK(std::ranges::count(split.storage(), 2) == 120);
      CHECK(read_file(out + "/metrics.jsonl").find("\"train\":960") != std::string::npos);
    }
  }
  CHECK(models.size() == 1);
}

TEST_CASE("fit: checkpoints are written within an epoch, too") {
  const test::TemporaryFolder folder;
  const std::string table = folder.path / "t.npy";
  save_npy(table, some_rows(1000));
  const auto sees_step_within_epoch = [&](const std::string& out, const RunLimits& limits) {
    FitOptions options = quick_fit(table, out);
    options.epochs = 3;
    return test::sees_step_within_epoch(
        out, [&] { CHECK(fit(options, single_process(), limits) == 0); });
  };
  RunLimits always;
  always.between_checkpoints = {};
  CHECK(sees_step_within_epoch(folder.path / "often", always));
  CHECK_FALSE(sees_step_within_epoch(folder.path / "seldom", {}));
}

}  // namespace
}  // namespace fjord::apps::density
