#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/random.hpp"
#include "fjord/autodiff/tape.hpp"
#include "fjord/optim/optimizers.hpp"
#include "fjord/optim/schedules.hpp"

namespace fjord::optim {
namespace {

/// A loss with a known minimiser.
struct Problem {
  std::string_view name;
  std::vector<double> start;
  std::vector<double> minimiser;
  std::uint64_t steps;
  double bound;  ///< for the largest distance from the minimiser
  std::vector<double> (*gradient)(const std::vector<double>& x, std::uint64_t step);
};

const std::vector<double> center{0.5, -0.25, 1, 0.75};
const std::vector<double> curvature{0.01, 0.1, 0.5, 1};

// Condition number 100.
std::vector<double> bowl(const std::vector<double>& x, std::uint64_t /*step*/) {
  std::vector<double> g(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) g[i] = curvature[i] * (x[i] - center[i]);
  return g;
}

std::vector<double> rosenbrock(const std::vector<double>& x, std::uint64_t /*step*/) {
  const double rest = x[1] - x[0] * x[0];
  return {-400 * x[0] * rest - 2 * (1 - x[0]), 200 * rest};
}

std::vector<double> noisy_bowl(const std::vector<double>& x, std::uint64_t step) {
  std::vector<double> g(x.size());
  RandomKey(7).fold(step).normal(std::span<double>(g));
  for (std::size_t i = 0; i < x.size(); ++i) g[i] = 0.5 * g[i] + x[i] - center[i];
  return g;
}

const std::vector<Problem> problems{
    {"bowl", {1, 1, -1, -1}, center, 4000, 1e-3, bowl},
    {"Rosenbrock", {-1.2, 1}, {1, 1}, 20000, 2e-2, rosenbrock},
    {"noisy bowl", {1, 1, -1, -1}, center, 4000, 5e-2, noisy_bowl},
};

/// The rates that an optimiser takes for the problems.
struct Rates {
  std::string_view name;
  std::vector<double> rates;
};

const std::vector<Rates> all_rates{
    {"sgd", {0.8, 1e-3, 0.05}},       {"momentum", {0.2, 2e-4, 0.005}},
    {"nesterov", {0.2, 2e-4, 0.005}}, {"adagrad", {0.5, 0.5, 0.5}},
    {"rmsprop", {0.01, 0.01, 0.01}},  {"adam", {0.01, 0.01, 0.01}},
    {"adamw", {0.01, 0.01, 0.01}},    {"amsgrad", {0.01, 0.01, 0.01}},
    {"radam", {0.01, 1e-3, 0.01}},    {"nadam", {0.01, 0.01, 0.01}},
    {"lion", {0.003, 0.003, 0.003}},
};

const Rates& rates_of(std::string_view name) {
  const auto found = std::ranges::find(all_rates, name, &Rates::name);
  REQUIRE_MESSAGE(found != all_rates.end(), "no rates for ", name);
  return *found;
}

template <class T>
Tensor<T> tensor_of(const std::vector<double>& x) {
  Tensor<T> result = Tensor<T>::zeros({static_cast<Index>(x.size())});
  for (std::size_t i = 0; i < x.size(); ++i) result.storage()[i] = static_cast<T>(x[i]);
  return result;
}

template <class T>
std::vector<T> gradient_at(const Problem& problem, const Parameter<T>& x, std::uint64_t step) {
  const std::vector<double> g = problem.gradient(x.value().template as<double>().to_vector(), step);
  return tensor_of<T>(g).to_vector();
}

TEST_CASE_TEMPLATE("optimizers: every one finds every minimiser", T, float, double) {
  for (const NamedOptimizer<T>& kind : optimizers<T>()) {
    CAPTURE(kind.name);
    const Rates& rates = rates_of(kind.name);
    for (std::size_t k = 0; k < problems.size(); ++k) {
      const Problem& problem = problems[k];
      CAPTURE(problem.name);
      Parameter<T> x(tensor_of<T>(problem.start));
      // A weight decay would move the minimiser.
      const auto optimizer = kind.make({{.parameters = {&x}, .weight_decay = 0}}, rates.rates[k]);
      const CosineSchedule schedule({.steps = problem.steps});
      while (optimizer->steps() < problem.steps) {
        const std::uint64_t step = optimizer->steps();
        optimizer->step(gradient_at(problem, x, step), schedule.factor(step));
      }
      double worst = 0;
      for (std::size_t i = 0; i < problem.minimiser.size(); ++i) {
        const auto found = static_cast<double>(x.value().storage()[i]);
        worst = std::max(worst, std::abs(found - problem.minimiser[i]));
      }
      CHECK(worst < problem.bound);
    }
  }
}

TEST_CASE_TEMPLATE("optimizers: a restored state goes on, bit for bit", T, float, double) {
  const Problem& problem = problems[2];
  const CosineSchedule schedule({.steps = 20});
  for (const NamedOptimizer<T>& kind : optimizers<T>()) {
    CAPTURE(kind.name);
    const auto run = [&](Optimizer<T>& optimizer, Parameter<T>& x, std::uint64_t end) {
      while (optimizer.steps() < end) {
        const std::uint64_t step = optimizer.steps();
        optimizer.step(gradient_at(problem, x, step), schedule.factor(step));
      }
    };
    Parameter<T> whole(tensor_of<T>(problem.start));
    const auto uninterrupted = kind.make({&whole}, 0.01);
    run(*uninterrupted, whole, 7);
    Parameter<T> resumed(whole.value());
    const auto second = kind.make({&resumed}, 0.01);
    second->restore(uninterrupted->state());
    run(*uninterrupted, whole, 20);
    run(*second, resumed, 20);
    CHECK(whole.value() == resumed.value());
    CHECK(second->steps() == 20);
    CHECK(second->state().steps == 20);
    CHECK(second->state().tensors == uninterrupted->state().tensors);
  }
}

TEST_CASE("optimizers: a state of another optimiser or size is refused, and changes nothing") {
  for (const NamedOptimizer<double>& kind : optimizers<double>()) {
    CAPTURE(kind.name);
    Parameter<double> x(Tensor<double>{1.0, 2.0});
    const auto optimizer = kind.make({&x}, 0.01);
    optimizer->step(std::vector<double>{1, 2});
    const OptimizerState<double> before = optimizer->state();
    const auto refuses = [&](const OptimizerState<double>& state) {
      CHECK_THROWS_AS(optimizer->restore(state), std::invalid_argument);
      CHECK(optimizer->state().steps == before.steps);
      CHECK(optimizer->state().tensors == before.tensors);
    };
    OptimizerState<double> more = before;
    more.steps = 9;
    more.tensors["another"] = Tensor<double>::zeros({2});
    refuses(more);
    for (const auto& [name, tensor] : before.tensors) {
      OptimizerState<double> fewer = before;
      fewer.steps = 9;
      fewer.tensors.erase(name);
      refuses(fewer);
      OptimizerState<double> longer = before;
      longer.tensors[name] = Tensor<double>::zeros({3});
      refuses(longer);
    }
  }
}

TEST_CASE("optimizers: a step that is refused changes nothing") {
  for (const NamedOptimizer<double>& kind : optimizers<double>()) {
    CAPTURE(kind.name);
    Parameter<double> x(Tensor<double>{1.0});
    Parameter<double> held(Tensor<double>{2.0});
    const auto optimizer = kind.make({&x, &held}, 0.01);
    const std::vector<double> gradient{1, 1};
    CHECK_THROWS_WITH_AS(optimizer->step(std::vector<double>{1}), doctest::Contains("2 numbers"),
                         std::invalid_argument);
    for (const double factor : {-1.0, std::nan(""), HUGE_VAL}) {
      CHECK_THROWS_WITH_AS(optimizer->step(gradient, factor), doctest::Contains("rate_factor"),
                           std::invalid_argument);
    }
    Tape<double> tape;
    tape.bind(held);
    CHECK_THROWS_AS(optimizer->step(gradient), std::invalid_argument);
    CHECK(x.value()(0) == 1);
    CHECK(optimizer->steps() == 0);
    tape.clear();
    optimizer->step(gradient);
    CHECK(held.value()(0) < 2);
  }
}

TEST_CASE_TEMPLATE("optimizers: each parameter of a group goes as with the group's settings alone",
                   T, float, double) {
  const Problem& problem = problems[0];
  for (const NamedOptimizer<T>& kind : optimizers<T>()) {
    CAPTURE(kind.name);
    Parameter<T> a(tensor_of<T>(problem.start));
    Parameter<T> b(a.value());
    Parameter<T> c(a.value());
    Parameter<T> alone_b(a.value());
    Parameter<T> alone_c(a.value());
    const auto all = kind.make({{.parameters = {&a}},
                                {.parameters = {&b}, .rate_factor = 0.25},
                                {.parameters = {&c}, .weight_decay = 0.5}},
                               0.01);
    const auto of_b = kind.make({&alone_b}, 0.0025);
    const auto of_c = kind.make({{.parameters = {&alone_c}, .weight_decay = 0.5}}, 0.01);
    for (std::uint64_t step = 0; step < 5; ++step) {
      std::vector<T> gradient;
      for (const Parameter<T>* x : {&a, &b, &c}) {
        const std::vector<T> g = gradient_at(problem, *x, step);
        gradient.insert(gradient.end(), g.begin(), g.end());
      }
      of_b->step(gradient_at(problem, alone_b, step));
      of_c->step(gradient_at(problem, alone_c, step));
      all->step(gradient);
    }
    CHECK(b.value() == alone_b.value());
    CHECK(c.value() == alone_c.value());
    CHECK_FALSE(a.value() == b.value());
    CHECK_FALSE(a.value() == c.value());
  }
}

TEST_CASE("optimizers: a group with the rate factor 0 stays as it is") {
  for (const NamedOptimizer<double>& kind : optimizers<double>()) {
    CAPTURE(kind.name);
    Parameter<double> moving(Tensor<double>{1.0});
    Parameter<double> frozen(Tensor<double>{1.0});
    const auto optimizer =
        kind.make({{.parameters = {&moving}}, {.parameters = {&frozen}, .rate_factor = 0}}, 0.01);
    for (int step = 0; step < 3; ++step) optimizer->step(std::vector<double>{1, 1});
    CHECK(moving.value()(0) < 1);
    CHECK(frozen.value()(0) == 1);
  }
}

TEST_CASE("optimizers: groups that are out of range are refused") {
  Parameter<double> x(Tensor<double>{1.0});
  for (const NamedOptimizer<double>& kind : optimizers<double>()) {
    CAPTURE(kind.name);
    const auto refuses = [&](const ParameterGroups<double>& groups, const char* text) {
      CHECK_THROWS_WITH_AS(kind.make(groups, 0.01), doctest::Contains(text), std::invalid_argument);
    };
    refuses({&x, &x}, "twice");
    refuses({{.parameters = {&x}}, {.parameters = {&x}}}, "twice");
    refuses({&x, nullptr}, "null");
    refuses({{.parameters = {&x}, .rate_factor = -1}}, "rate_factor");
    refuses({{.parameters = {&x}, .rate_factor = HUGE_VAL}}, "rate_factor");
    refuses({{.parameters = {&x}, .weight_decay = -1}}, "weight_decay");
    refuses({{.parameters = {&x}, .weight_decay = std::nan("")}}, "weight_decay");
  }
}

TEST_CASE("optimizers: one is chosen by name, and another name lists all") {
  Parameter<float> x(Tensor<float>{1});
  for (const NamedOptimizer<float>& kind : optimizers<float>()) {
    CAPTURE(kind.name);
    CHECK(optimizer_named<float>(kind.name, {&x}, 0.1)->steps() == 0);
    CHECK_THROWS_WITH_AS(optimizer_named<float>("adm", {&x}, 0.1),
                         doctest::Contains(std::string(kind.name).c_str()), std::invalid_argument);
    CHECK_THROWS_WITH_AS(optimizer_named<float>(kind.name, {&x}, 0), doctest::Contains("rate"),
                         std::invalid_argument);
  }
  CHECK(optimizer_named<float>("amsgrad", {&x}, 0.1)->name() == "amsgrad");
}

/// Checks that a number out of range in one field is refused, and names the field.
template <template <class> class Kind, class Options>
void check_refused(const char* field, double Options::*member, const std::vector<double>& values) {
  CAPTURE(field);
  for (const double value : values) {
    Options options;
    options.*member = value;
    CAPTURE(value);
    CHECK_THROWS_WITH_AS(Kind<double>({}, options), doctest::Contains(field),
                         std::invalid_argument);
  }
}

const std::vector<double> not_positive{0, -1, HUGE_VAL, std::nan("")};
const std::vector<double> negative{-1, HUGE_VAL, std::nan("")};
const std::vector<double> no_decay{-0.1, 1, 1.5, std::nan("")};

template <template <class> class Kind, class Options>
void check_rate_and_decay_refused() {
  check_refused<Kind, Options>("rate", &Options::rate, not_positive);
  check_refused<Kind, Options>("weight_decay", &Options::weight_decay, negative);
}

template <template <class> class Kind, class Options>
void check_moment_options_refused() {
  check_rate_and_decay_refused<Kind, Options>();
  check_refused<Kind, Options>("beta1", &Options::beta1, no_decay);
  check_refused<Kind, Options>("beta2", &Options::beta2, no_decay);
  check_refused<Kind, Options>("epsilon", &Options::epsilon, not_positive);
}

TEST_CASE("optimizers: every option out of range is refused by name") {
  check_moment_options_refused<Adam, AdamOptions>();
  check_moment_options_refused<AdamW, AdamWOptions>();
  check_moment_options_refused<AmsGrad, AmsGradOptions>();
  check_moment_options_refused<RAdam, RAdamOptions>();
  check_moment_options_refused<NAdam, NAdamOptions>();
  check_rate_and_decay_refused<Sgd, SgdOptions>();
  check_refused<Sgd>("momentum", &SgdOptions::momentum, no_decay);
  CHECK_THROWS_WITH_AS(Sgd<double>({}, {.nesterov = true}), doctest::Contains("nesterov"),
                       std::invalid_argument);
  check_rate_and_decay_refused<Adagrad, AdagradOptions>();
  check_refused<Adagrad>("epsilon", &AdagradOptions::epsilon, not_positive);
  check_rate_and_decay_refused<RmsProp, RmsPropOptions>();
  check_refused<RmsProp>("beta", &RmsPropOptions::beta, no_decay);
  check_refused<RmsProp>("epsilon", &RmsPropOptions::epsilon, not_positive);
  check_rate_and_decay_refused<Lion, LionOptions>();
  check_refused<Lion>("beta1", &LionOptions::beta1, no_decay);
  check_refused<Lion>("beta2", &LionOptions::beta2, no_decay);
}

}  // namespace
}  // namespace fjord::optim
