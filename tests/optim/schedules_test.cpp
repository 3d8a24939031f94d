#include "fjord/optim/schedules.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/optim/plateau.hpp"

namespace fjord::optim {
namespace {

struct Expected {
  std::uint64_t step;
  double factor;
};

void check_factors(const Schedule& schedule, const std::vector<Expected>& expected) {
  for (const Expected& e : expected) {
    CAPTURE(e.step);
    CHECK(schedule.factor(e.step) == doctest::Approx(e.factor).epsilon(1e-14));
  }
}

constexpr std::uint64_t far = std::numeric_limits<std::uint64_t>::max();

TEST_CASE("schedules: the factors are those of the closed forms") {
  check_factors(ConstantSchedule(), {{0, 1}, {far, 1}});
  check_factors(StepSchedule({.every = 10, .drop = 0.5}),
                {{0, 1}, {9, 1}, {10, 0.5}, {19, 0.5}, {20, 0.25}, {far, 0}});
  check_factors(ExponentialSchedule({.decay = 0.9}),
                {{0, 1}, {1, 0.9}, {2, 0.81}, {10, std::pow(0.9, 10)}, {far, 0}});
  const double root = std::sqrt(0.5);
  check_factors(CosineSchedule({.steps = 8}),
                {{0, 1}, {2, (1 + root) / 2}, {4, 0.5}, {6, (1 - root) / 2}, {8, 0}, {far, 0}});
  check_factors(CosineSchedule({.steps = 8, .end = 0.2}),
                {{0, 1}, {2, 0.2 + 0.4 * (1 + root)}, {4, 0.6}, {8, 0.2}, {far, 0.2}});
  check_factors(OneCycleSchedule({.steps = 10, .rise = 0.4, .start = 0.2, .end = 0.1}),
                {{0, 0.2},
                 {2, 0.6},
                 {4, 1},
                 {6, 0.1 + 0.9 * (1 + std::cos(std::numbers::pi / 3)) / 2},
                 {7, 0.55},
                 {10, 0.1},
                 {far, 0.1}});
  check_factors(OneCycleSchedule({.steps = 10, .rise = 0}), {{0, 1}, {10, 4e-6}});
}

TEST_CASE("schedules: the cosine forms have the numbers of Optax") {
  // Optax 0.2.8 in double: cosine_decay_schedule(1, 100, 0.1), cosine_onecycle_schedule(100, 1).
  check_factors(CosineSchedule({.steps = 100, .end = 0.1}),
                {{25, 0.8681980515339464}, {50, 0.55}, {99, 0.10022204783542078}, {150, 0.1}});
  check_factors(
      OneCycleSchedule({.steps = 100}),
      {{0, 0.04}, {10, 0.28}, {30, 1}, {65, 0.500002}, {99, 0.0005074647154757879}, {100, 4e-6}});
}

TEST_CASE("schedules: a warm-up rises to the schedule that follows") {
  const auto cosine = std::make_shared<CosineSchedule>(CosineScheduleOptions{.steps = 8});
  check_factors(WarmUpSchedule({.steps = 4}, cosine),
                {{0, 0.25}, {1, 0.5}, {2, 0.75}, {3, 1}, {4, 1}, {8, 0.5}, {12, 0}, {far, 0}});
  const auto cycle =
      std::make_shared<OneCycleSchedule>(OneCycleScheduleOptions{.steps = 10, .start = 0.5});
  check_factors(WarmUpSchedule({.steps = 2}, cycle), {{0, 0.25}, {1, 0.5}, {2, 0.5}, {5, 1}});
}

TEST_CASE("schedules: one is chosen by name for a number of steps, and another name lists all") {
  for (const NamedSchedule& kind : schedules()) {
    CAPTURE(kind.name);
    for (const std::uint64_t steps : {1, 2, 3, 100}) {
      const auto schedule = schedule_named(kind.name, steps);
      double largest = 0;
      for (std::uint64_t step = 0; step <= steps; ++step) {
        const double factor = schedule->factor(step);
        CHECK(factor >= 0);
        CHECK(factor <= 1);
        largest = std::max(largest, factor);
      }
      CHECK(largest > 0);
    }
    CHECK_THROWS_WITH_AS(schedule_named("cosin", 10),
                         doctest::Contains(std::string(kind.name).c_str()), std::invalid_argument);
    CHECK_THROWS_WITH_AS(schedule_named(kind.name, 0), doctest::Contains("steps"),
                         std::invalid_argument);
  }
  check_factors(*schedule_named("constant", 100), {{0, 1}, {100, 1}});
  check_factors(*schedule_named("step", 100), {{33, 1}, {34, 0.1}, {67, 0.1}, {68, 0.01}});
  check_factors(*schedule_named("exponential", 100), {{50, 0.1}, {100, 0.01}});
  check_factors(*schedule_named("cosine", 100), {{50, 0.5}, {100, 0}});
  check_factors(*schedule_named("one_cycle", 100), {{0, 0.04}, {30, 1}, {100, 4e-6}});
}

template <class Make>
void check_refused(const char* field, const Make& make, const std::vector<double>& values) {
  for (const double value : values) {
    CAPTURE(field);
    CAPTURE(value);
    CHECK_THROWS_WITH_AS(make(value), doctest::Contains(field), std::invalid_argument);
  }
}

const std::vector<double> no_fraction{0, -1, 1.5, std::nan("")};
const std::vector<double> no_decay{-0.1, 1, std::nan("")};

TEST_CASE("schedules: every option out of range is refused by name") {
  CHECK_THROWS_WITH_AS(StepSchedule({.every = 0}), doctest::Contains("every"),
                       std::invalid_argument);
  check_refused(
      "drop", [](double x) { StepSchedule({.drop = x}); }, no_fraction);
  check_refused(
      "decay", [](double x) { ExponentialSchedule({.decay = x}); }, no_fraction);
  CHECK_THROWS_WITH_AS(CosineSchedule({.steps = 0}), doctest::Contains("steps"),
                       std::invalid_argument);
  check_refused(
      "end", [](double x) { CosineSchedule({.end = x}); }, no_decay);
  CHECK_THROWS_WITH_AS(OneCycleSchedule({.steps = 0}), doctest::Contains("steps"),
                       std::invalid_argument);
  check_refused(
      "rise", [](double x) { OneCycleSchedule({.rise = x}); }, no_decay);
  check_refused(
      "start", [](double x) { OneCycleSchedule({.start = x}); }, no_fraction);
  check_refused(
      "end", [](double x) { OneCycleSchedule({.end = x}); }, no_decay);
  const auto constant = std::make_shared<ConstantSchedule>();
  CHECK_THROWS_WITH_AS(WarmUpSchedule({.steps = 0}, constant), doctest::Contains("steps"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(WarmUpSchedule({}, nullptr), doctest::Contains("null"),
                       std::invalid_argument);
}

TEST_CASE("plateau: the factor drops after losses that do not fall") {
  PlateauSchedule plateau({.drop = 0.5, .patience = 2, .min_decrease = 0.1, .end = 0.2});
  CHECK(plateau.factor(0) == 1);

  struct Seen {
    double loss;
    double factor;
  };

  const std::vector<Seen> all{
      {-1, 1},    {-1.05, 1},        {-1.2, 1},     // the decrease is too small, then enough
      {-1.25, 1}, {std::nan(""), 1}, {0, 0.5},      // the third without an improvement
      {0, 0.5},   {0, 0.5},          {-1.31, 0.5},  // an improvement in time
      {0, 0.5},   {HUGE_VAL, 0.5},   {0, 0.25},     // again the third
      {0, 0.25},  {0, 0.25},         {0, 0.2},      // the least
      {0, 0.2},   {0, 0.2},          {0, 0.2}};
  for (const Seen& seen : all) {
    CAPTURE(seen.loss);
    plateau.observe(seen.loss);
    CHECK(plateau.factor(3) == seen.factor);
  }
}

TEST_CASE("plateau: a restored state goes on") {
  PlateauSchedule whole({.patience = 3});
  for (const double loss : {3.0, 2.0, 2.0, 2.5}) whole.observe(loss);
  PlateauSchedule resumed({.patience = 3});
  resumed.restore(whole.state());
  for (const double loss : {2.0, 2.0, 1.0, 1.5}) {
    whole.observe(loss);
    resumed.observe(loss);
    CHECK(resumed.state() == whole.state());
  }
  CHECK(resumed.factor(0) == 0.1);
}

TEST_CASE("plateau: every option out of range is refused by name") {
  check_refused("drop", [](double x) { PlateauSchedule({.drop = x}); }, {0, 1, -1, std::nan("")});
  check_refused("min_decrease", [](double x) { PlateauSchedule({.min_decrease = x}); },
                {-1, HUGE_VAL, std::nan("")});
  check_refused(
      "end", [](double x) { PlateauSchedule({.end = x}); }, no_decay);
}

}  // namespace
}  // namespace fjord::optim
