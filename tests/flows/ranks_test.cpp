#include "fjord/tests/support/ranks.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <numeric>
#include <set>

#include <doctest/doctest.h>

#include "fjord/flows/fit.hpp"
#include "fjord/ode/gradient_modes.hpp"
#include "fjord/tests/support/flows.hpp"

namespace fjord::flows {
namespace {

using test::failures_of_ranks;
using test::normals;
using test::numerics;
using test::run_ranks;

// Seven shards, the last one short.
constexpr Index shard_rows = 8;
constexpr Index row_count = 6 * shard_rows + 3;

std::vector<std::uint32_t> all_rows() {
  std::vector<std::uint32_t> rows(row_count);
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

/// The negative log-likelihood, which notes the first rows that it sees.
template <class T>
class Noted final : public Loss<T> {
 public:
  Var<T> of_rows(const Distribution<T>& model, const Var<T>& x,
                 Context<T>& context) const override {
    const std::lock_guard lock(mutex_);
    seen_.insert(context.first_row);
    return loss_.of_rows(model, x, context);
  }

  const std::multiset<std::uint64_t>& seen() const { return seen_; }

 private:
  NegativeLogLikelihood<T> loss_{{{&regularizer_named<T>("kinetic_energy"), 0.01}}};
  mutable std::mutex mutex_;
  mutable std::multiset<std::uint64_t> seen_;
};

/// All that a model gives.
template <class T>
struct Results {
  double loss = 0;
  std::vector<T> gradient;
  std::vector<double> penalties;
  std::vector<double> evaluations;
  std::vector<Tensor<T>> rows;

  friend bool operator==(const Results&, const Results&) = default;
};

template <class T>
Results<T> results_of(const Communicator& communicator, int threads, const Loss<T>& loss) {
  const auto model =
      test::random_model<T>(test::small_settings(), numerics(1e-4, Trace::hutchinson));
  const Tensor<T> data = normals({row_count, 2}, 6).template as<T>();
  Workers workers(threads, communicator);
  ShardedModel<T> sharded(*model, workers, shard_rows);
  const LossAndGradient<T> step =
      sharded.loss_and_gradient(loss, TableRows<T>(data), all_rows(), &ode::direct, RandomKey(3));
  Results<T> results{step.loss,
                     {step.gradient.begin(), step.gradient.end()},
                     {step.penalties.begin(), step.penalties.end()},
                     {step.evaluations},
                     {}};
  for (const RowResults<T>& rows :
       {sharded.log_prob(data, RandomKey(1)), sharded.sample(row_count, RandomKey(2)),
        sharded.forward(*model, data), sharded.sample(0, RandomKey(2))}) {
    results.rows.push_back(rows.values);
    results.evaluations.push_back(rows.evaluations);
  }
  return results;
}

TEST_CASE_TEMPLATE("ranks: the same bits on any number of ranks and threads, each shard once", T,
                   float, double) {
  const Results<T> expected = results_of<T>(single_process(), 1, Noted<T>());
  std::multiset<std::uint64_t> shards;
  for (Index first = 0; first < row_count; first += shard_rows)
    shards.insert(static_cast<std::uint64_t>(first));
  for (const int size : {1, 2, 3, 4, 9}) {
    for (const int threads : {1, 2}) {
      CAPTURE(size);
      CAPTURE(threads);
      std::vector<Results<T>> found(static_cast<std::size_t>(size));
      std::vector<Noted<T>> losses(found.size());
      run_ranks(size, [&](const Communicator& c) {
        const auto rank = static_cast<std::size_t>(c.rank());
        found[rank] = results_of<T>(c, threads, losses[rank]);
      });
      std::multiset<std::uint64_t> seen;
      for (const Noted<T>& loss : losses) seen.insert(loss.seen().begin(), loss.seen().end());
      CHECK(seen == shards);
      for (const Results<T>& result : found) CHECK(result == expected);
    }
  }
}

TEST_CASE("ranks: the messages of a step are those that docs/scaling.md counts") {
  constexpr int size = 4;
  test::Mail mail;
  std::atomic<std::size_t> parameters = 0;
  run_ranks(
      size,
      [&](const Communicator& c) {
        const auto model = test::random_model<float>(test::small_settings(), numerics(1e-3));
        const Tensor<float> data = normals({8 * shard_rows, 2}, 6).as<float>();
        std::vector<std::uint32_t> rows(8 * shard_rows);
        std::iota(rows.begin(), rows.end(), 0U);
        Workers workers(1, c);
        ShardedModel<float> sharded(*model, workers, shard_rows);
        parameters =
            sharded.loss_and_gradient(data, rows, &ode::direct, RandomKey(3)).gradient.size();
      },
      mail);
  const auto messages = 2 * static_cast<std::size_t>(size - 1);
  CHECK(mail.messages() == messages);
  CHECK(mail.bytes() == messages * (4 * parameters + 54));
}

template <class Failure>
std::vector<std::string> texts_of(const std::vector<std::exception_ptr>& failures) {
  std::vector<std::string> texts;
  for (const std::exception_ptr& failure : failures) {
    try {
      if (failure) std::rethrow_exception(failure);
      texts.emplace_back("none");
    } catch (const Failure& error) {
      texts.emplace_back(error.what());
    }
  }
  return texts;
}

TEST_CASE("ranks: a solve that fails on one rank fails on all, with its rows and its rank") {
  Tensor<double> data = normals({row_count, 2}, 6);
  data(37, 1) = std::numeric_limits<double>::quiet_NaN();
  const auto failures = failures_of_ranks(3, [&](const Communicator& c) {
    const auto model = test::random_model<double>(test::small_settings(), numerics(1e-6));
    Workers workers(1, c);
    ShardedModel<double> sharded(*model, workers, shard_rows);
    sharded.log_prob(data, RandomKey(1));
  });
  for (const std::string& text : texts_of<ode::SolveFailure>(failures)) {
    CHECK(text ==
          "rank 2: rows 33 to 40: block 1: the state or the field became infinite or NaN at t = 1 "
          "after 0 steps; check its inputs and parameters, or stop before this time");
  }
}

/// Rows of which some cannot be read.
class Broken final : public RowSource<double> {
 public:
  explicit Broken(const Tensor<double>& values) : rows_(values) {}

  Index rows() const override { return rows_.rows(); }

  Index dim() const override { return rows_.dim(); }

  void read(std::span<const std::uint32_t> rows, double* values, double* given) const override {
    if (std::ranges::find(rows, 20U) != rows.end()) throw std::runtime_error("part 1 is missing");
    rows_.read(rows, values, given);
  }

 private:
  TableRows<double> rows_;
};

TEST_CASE("ranks: rows that one rank cannot read end the work of all") {
  const Tensor<double> data = normals({row_count, 2}, 6);
  const auto failures = failures_of_ranks(4, [&](const Communicator& c) {
    const auto model = test::random_model<double>(test::small_settings(), numerics(1e-6));
    Workers workers(1, c);
    const Broken rows(data);
    Fit<double> run(*model, rows, nullptr, workers, {.batch = row_count});
    run.sharded().losses(NegativeLogLikelihood<double>(), rows, RandomKey(1));
  });
  CHECK(texts_of<RankFailure>(failures) == std::vector<std::string>(4, "part 1 is missing"));
}

/// A loss that is not a number on the shard with a row.
class Spoiled final : public Loss<double> {
 public:
  Var<double> of_rows(const Distribution<double>& model, const Var<double>& x,
                      Context<double>& context) const override {
    const double factor = context.first_row == 128 ? std::numeric_limits<double>::infinity() : 1;
    return loss_.of_rows(model, x, context) * factor;
  }

 private:
  NegativeLogLikelihood<double> loss_;
};

constexpr Index fit_rows = 300;  // three shards of the default size

FitOptions<double> fit_options() {
  FitOptions<double> options;
  options.epochs = 2;
  options.batch = 200;
  options.average = 0.9;
  options.clip_norm = 1;
  return options;
}

nn::State trained(const Communicator& communicator, const FitOptions<double>& options,
                  std::uint64_t seed = 1) {
  const auto model = test::random_model<double>(test::small_settings(), numerics(1e-3), seed);
  const Tensor<double> data = normals({fit_rows, 2}, 6);
  const Tensor<double> more = normals({fit_rows, 2}, 7);
  const TableRows<double> rows(data);
  const TableRows<double> held_out(more);
  Workers workers(1, communicator);
  Fit<double> run(*model, rows, &held_out, workers, options);
  while (run.step()) {
  }
  if (run.report().end == FitEnd::failure) run.throw_failure();
  return run.state();
}

TEST_CASE("ranks: training gives the same state on any number of ranks") {
  const nn::State expected = trained(single_process(), fit_options());
  for (const int size : {2, 3}) {
    std::vector<nn::State> states(static_cast<std::size_t>(size));
    run_ranks(size, [&](const Communicator& c) {
      states[static_cast<std::size_t>(c.rank())] = trained(c, fit_options());
    });
    for (const nn::State& state : states) {
      CHECK(state.metadata == expected.metadata);
      CHECK(state.tensors == expected.tensors);
    }
  }
}

TEST_CASE("ranks: a number that is not finite ends all, and names its rank") {
  FitOptions<double> options = fit_options();
  options.loss = std::make_shared<Spoiled>();
  const auto failures = failures_of_ranks(2, [&](const Communicator& c) { trained(c, options); });
  const auto texts = texts_of<std::range_error>(failures);
  CHECK(texts == std::vector<std::string>(
                     2, "step 1 gave a loss or gradient that is not a number on rank 1"));
}

TEST_CASE("ranks: parameters or options that differ between ranks are refused, not mixed") {
  const auto other_model = failures_of_ranks(
      3, [](const Communicator& c) { trained(c, fit_options(), c.rank() == 1 ? 5 : 1); });
  for (const std::string& text : texts_of<RankFailure>(other_model))
    CHECK(text.starts_with("[fit] rank 1 differs from rank 0"));
  const auto other_batch = failures_of_ranks(3, [](const Communicator& c) {
    FitOptions<double> options = fit_options();
    if (c.rank() == 2) options.batch = 100;
    trained(c, options);
  });
  for (const std::string& text : texts_of<RankFailure>(other_batch))
    CHECK(text.starts_with("[fit] rank 2 differs from rank 0"));
}

}  // namespace
}  // namespace fjord::flows
