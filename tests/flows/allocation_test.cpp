#include <limits>
#include <numeric>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/flows/sharded.hpp"
#include "fjord/tests/support/counted_new.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_models.hpp"

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

TEST_CASE_TEMPLATE("allocation: nor does one with penalties", T, float, double) {
  const auto model = test::random_model<T>(test::small_settings(), test::numerics(1e-4));
  Vars<T> bound(nn::parameters_of(*model).size());
  const Tensor<T> data = test::normals({128, 2}, 6).template as<T>();
  const auto parameters = nn::parameter_pointers(nn::parameters_of(*model));
  for (const char* name : {"kinetic_energy", "jacobian_norm", "directional_derivative"}) {
    CAPTURE(name);
    const Regularizer<T>* list[]{&regularizer_named<T>(name)};
    Tape<T> tape;
    const auto step = [&] {
      tape.clear();
      for (std::size_t i = 0; i < bound.size(); ++i) bound[i] = tape.bind(*parameters[i]);
      Context<T> context{.norm = ode::ErrorNorm::rms, .regularizers = list};
      const Var<T> log_prob = model->log_prob(tape.borrow(data), context);
      const Var<T> loss = sum(context.penalties) - sum(log_prob);
      gradient_values<T>(loss, bound);
    };
    for (int i = 0; i < 3; ++i) step();
    const std::size_t before = test::allocations();
    for (int i = 0; i < 3; ++i) step();
    CHECK(test::allocations() == before);
  }
}

// Of a step of the model with a part, once the memory has grown.
std::size_t allocations_of_part(const test::PartModel& row) {
  const auto model = row.make();
  const Tensor<double> data = row.rows(128, 1);
  std::vector<std::uint32_t> rows(128);
  std::iota(rows.begin(), rows.end(), 0U);
  Workers workers(1);
  ShardedModel<double> sharded(*model, workers);
  const auto step = [&] { sharded.loss_and_gradient(data, rows, &ode::direct, RandomKey(1)); };
  for (int i = 0; i < 3; ++i) step();
  const std::size_t before = test::allocations();
  for (int i = 0; i < 3; ++i) step();
  return test::allocations() - before;
}

TEST_CASE("allocation: nor does one with any part") {
  for (const test::PartModels& models :
       {test::models_of_bijectors(), test::models_of_fields(), test::models_of_transformers(),
        test::models_of_distributions()}) {
    for (const auto& model : models) {
      INFO(model.first);
      CHECK(allocations_of_part(model.second) == 0);
    }
  }
}

}  // namespace
}  // namespace fjord::flows
