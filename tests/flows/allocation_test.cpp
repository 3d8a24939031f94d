#include <limits>
#include <numeric>

#include <doctest/doctest.h>

#include "fjord/flows/sharded.hpp"
#include "fjord/tests/support/counted_new.hpp"
#include "fjord/tests/support/flows.hpp"

namespace fjord::flows {
namespace {

/// The fewest allocations of five steps in a row.
template <class T>
std::size_t allocations_of_steps(Trace trace, int threads) {
  const auto model = test::random_model<T>(test::small_settings(), test::numerics(1e-4, trace));
  const Tensor<T> data = test::normals({256, 2}, 6).template as<T>();
  std::vector<std::uint32_t> rows(256);
  std::iota(rows.begin(), rows.end(), 0U);
  Workers workers(threads);
  ShardedModel<T> sharded(*model, workers);
  const auto step = [&] { sharded.loss_and_gradient(data, rows, &ode::direct, RandomKey(1)); };
  // Which thread takes which shard is left open, so one may still grow in a late step.
  std::size_t fewest = std::numeric_limits<std::size_t>::max();
  for (int attempt = 0; attempt < 50 && fewest > 0; ++attempt) {
    const std::size_t before = test::allocations();
    for (int i = 0; i < 5; ++i) step();
    fewest = std::min<std::size_t>(fewest, test::allocations() - before);
  }
  return fewest;
}

TEST_CASE("allocation: operator new is counted") {
  const std::size_t before = test::allocations();
  const std::vector<int> numbers(10);
  CHECK(test::allocations() > before);
}

TEST_CASE_TEMPLATE("allocation: a training step like an earlier one allocates nothing", T, float,
                   double) {
  for (const Trace trace : {Trace::exact, Trace::hutchinson}) {
    for (const int threads : {1, 2}) CHECK(allocations_of_steps<T>(trace, threads) == 0);
  }
}

}  // namespace
}  // namespace fjord::flows
