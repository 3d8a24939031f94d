#include "fjord/flows/row_order.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include <doctest/doctest.h>

#include "fjord/autodiff/npy.hpp"
#include "fjord/flows/fit.hpp"
#include "fjord/flows/mapped_rows.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/temporary_folder.hpp"

namespace fjord::flows {
namespace {

std::vector<std::uint32_t> epoch_of(const RowLayout& layout, std::uint64_t seed = 1) {
  const RowOrder order(layout, RandomKey(seed));
  std::vector<std::uint32_t> rows(static_cast<std::size_t>(layout.rows));
  for (Index first = 0; first < layout.rows; first += layout.batch) {
    const Index count = std::min(layout.batch, layout.rows - first);
    order.read(first, std::span(rows).subspan(static_cast<std::size_t>(first),
                                              static_cast<std::size_t>(count)));
  }
  return rows;
}

TEST_CASE("row_order: every row once, however rows are stored and taken") {
  for (const RowLayout& layout : std::initializer_list<RowLayout>{{1, 1, 1, 1},
                                                                  {10, 0, 4, 2},
                                                                  {10, 3, 4, 2},
                                                                  {1000, 7, 256, 128},
                                                                  {1000, 64, 300, 128},
                                                                  {1000, 5000, 256, 128},
                                                                  {1001, 1, 2000, 128},
                                                                  {4096, 64, 256, 128}}) {
    CAPTURE(layout.rows);
    CAPTURE(layout.block);
    std::vector<std::uint32_t> rows = epoch_of(layout);
    CHECK((layout.rows < 10 || !std::ranges::is_sorted(rows)));
    CHECK((layout.rows < 1000 || rows != epoch_of(layout, 2)));
    std::ranges::sort(rows);
    std::vector<std::uint32_t> all(rows.size());
    std::iota(all.begin(), all.end(), 0U);
    CHECK(rows == all);
  }
}

constexpr RowLayout stored{200'000, 100, 2048, 128};

TEST_CASE("row_order: a shard reads few blocks, and different ones than the others of its step") {
  const std::vector<std::uint32_t> rows = epoch_of(stored);
  std::set<std::uint32_t> of_step;
  for (std::size_t first = 0; first < 2048; first += 128) {
    std::set<std::uint32_t> blocks;
    for (std::size_t i = first; i < first + 128; ++i) blocks.insert(rows[i] / 100);
    CHECK(blocks.size() <= 8);  // of two groups of four
    of_step.merge(blocks);
  }
  CHECK(of_step.size() >= 16 * 4);
}

// The variance of the means of steps over that of as many uniform draws.
double variance_ratio(const RowLayout& layout, const std::vector<double>& values) {
  const std::vector<std::uint32_t> rows = epoch_of(layout);
  const auto batch = static_cast<std::size_t>(layout.batch);
  const std::size_t steps = rows.size() / batch;
  double squares = 0;
  for (std::size_t step = 0; step < steps; ++step) {
    double mean = 0;
    for (std::size_t i = 0; i < batch; ++i) mean += values[rows[step * batch + i]];
    squares += std::pow(mean / static_cast<double>(batch) - 0.5, 2);
  }
  return squares / static_cast<double>(steps) * 12 * static_cast<double>(batch);
}

TEST_CASE("row_order: what blocks cost in randomness is nothing if the table is in no order") {
  std::vector<double> sorted(static_cast<std::size_t>(stored.rows));
  for (std::size_t i = 0; i < sorted.size(); ++i)
    sorted[i] = (static_cast<double>(i) + 0.5) / static_cast<double>(sorted.size());
  std::vector<double> shuffled = sorted;
  const std::vector<std::uint32_t> order = RandomKey(5).permutation(200'000);
  for (std::size_t i = 0; i < sorted.size(); ++i) shuffled[i] = sorted[order[i]];
  // Of 97 steps, a variance has a relative error of 0.14.
  CHECK(variance_ratio(stored, shuffled) == doctest::Approx(1).epsilon(0.5));
  // A sorted one: the 128 rows of a shard are from four blocks, so that it counts like four rows.
  const double ratio = variance_ratio(stored, sorted);
  CHECK(ratio > 16);
  CHECK(ratio < 48);
}

TEST_CASE("row_order: training on mapped parts gives what the same rows give by themselves") {
  const test::TemporaryFolder folder;
  const Tensor<double> data = test::normals({300, 2}, 6);
  const std::string file = (folder.path / "t.npy").string();
  save_npy(file, data);
  const MappedRows<double> mapped(file);
  CHECK(mapped.block_rows() == 4096);
  const auto model = test::random_model<double>(test::small_settings(), test::numerics(1e-3));
  Workers workers(2);
  ShardedModel<double> sharded(*model, workers);
  CHECK(sharded.log_prob(mapped, RandomKey(1)).values ==
        sharded.log_prob(data, RandomKey(1)).values);
  const FitReport report = fit<double>(*model, mapped, &mapped, workers, {.epochs = 3});
  CHECK(*report.curve.back().held_out < *report.curve.front().held_out);
}

}  // namespace
}  // namespace fjord::flows
