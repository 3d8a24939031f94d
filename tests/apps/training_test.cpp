#include "fjord/apps/density/training.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "fjord/flows/affine.hpp"
#include "fjord/flows/row_source.hpp"
#include "fjord/optim/adam.hpp"
#include "fjord/tests/support/flows.hpp"

namespace fjord::apps::density {
namespace {

// A shift and a scale: the best is the mean and the deviation of the rows.
std::unique_ptr<Flow<double>> normal_flow(Index /*member*/) {
  return std::make_unique<Flow<double>>(std::make_unique<flows::DiagonalNormal<double>>(
                                            std::vector<double>{0}, std::vector<double>{1}),
                                        std::make_unique<flows::Affine<double>>(1));
}

struct Setup {
  Tensor<double> first = test::normals({64, 1}, 1);
  Tensor<double> second = test::normals({32, 1}, 2);
  Tensor<double> both = Tensor<double>::zeros({96, 1});
  flows::TableRows<double> rows{first};
  flows::TableRows<double> held_out{second};
  flows::TableRows<double> all{both};
  Workers workers{1};

  Setup() {
    for (double& x : second.storage()) x += 3;
    for (Index i = 0; i < 96; ++i) both(i, 0) = i < 64 ? first(i, 0) : second(i - 64, 0);
  }

  TrainingPlan<double> plan(Index members, bool refit, double rate = 0.05) {
    TrainingPlan<double> plan;
    plan.members = members;
    plan.refit = refit;
    plan.rows = &rows;
    plan.held_out = &held_out;
    plan.all = &all;
    plan.flow = normal_flow;
    plan.options = [rate](Index member, Flow<double>&) {
      return flows::FitOptions<double>{.epochs = 100,
                                       .batch = 96,
                                       .rate = rate,
                                       .shuffling = RandomKey(static_cast<std::uint64_t>(member))};
    };
    return plan;
  }
};

void run(Training<double>& training, int steps = 1'000'000) {
  for (int i = 0; i < steps && !training.is_finished(); ++i)
    if (!training.step()) training.next();
}

double log_likelihood(Training<double>& training, bool refitted, const Tensor<double>& rows) {
  const auto flow = std::move(training.members(refitted)[0]);
  double sum = 0;
  const Tensor<double> log_prob = test::log_prob(*flow, rows);
  for (const double x : log_prob.storage()) sum += x;
  return sum / static_cast<double>(rows.size());
}

TEST_CASE("training: the second round learns from all rows") {
  Setup setup;
  Training<double> training(setup.plan(2, true), setup.workers);
  CHECK(training.jobs() == 4);
  run(training);
  CHECK(training.members(false).size() == 2);
  REQUIRE(training.members(true).size() == 2);
  // The rows that were held out are around 3: only the second round has seen them.
  CHECK(log_likelihood(training, true, setup.second) >
        log_likelihood(training, false, setup.second) + 0.1);
}

TEST_CASE("training: interrupted anywhere, it goes on to the same bits") {
  Setup setup;
  Training<double> whole(setup.plan(2, true), setup.workers);
  run(whole);
  for (const int steps : {0, 1, 99, 100, 101, 150, 250, 399}) {
    CAPTURE(steps);
    Training<double> first(setup.plan(2, true), setup.workers);
    run(first, steps);
    Training<double> second(setup.plan(2, true), setup.workers);
    second.restore(first.state());
    run(second);
    for (const bool refitted : {false, true}) {
      const Flows<double> expected = whole.members(refitted);
      const Flows<double> found = second.members(refitted);
      REQUIRE(found.size() == expected.size());
      for (std::size_t k = 0; k < found.size(); ++k)
        CHECK(test::log_prob(*found[k], setup.first) == test::log_prob(*expected[k], setup.first));
    }
  }
}

TEST_CASE("training: stopped, it keeps what is complete and the best of what is not") {
  Setup setup;
  Training<double> training(setup.plan(3, true), setup.workers);
  run(training, 150);
  training.stop();
  CHECK(training.is_finished());
  CHECK(training.members(false).size() == 2);
  CHECK(training.members(true).empty());
}

TEST_CASE("training: where all members fail, so does the training") {
  Setup setup;
  Tensor<double> broken = setup.first;
  broken(3, 0) = NAN;
  const flows::TableRows<double> rows(broken);
  TrainingPlan<double> plan = setup.plan(2, false);
  plan.rows = &rows;
  Training<double> training(plan, setup.workers);
  CHECK_THROWS_AS(run(training), std::range_error);
}

TEST_CASE("training: a state that does not fit is refused") {
  Setup setup;
  Training<double> training(setup.plan(1, false), setup.workers);
  CHECK_THROWS_AS(training.restore({}), std::invalid_argument);
  Training<double> more(setup.plan(3, false), setup.workers);
  run(more, 250);
  CHECK_THROWS_AS(training.restore(more.state()), std::invalid_argument);
}

}  // namespace
}  // namespace fjord::apps::density
