#include "fjord/flows/fit.hpp"

#include <cmath>
#include <numbers>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/flows/linear_maps.hpp"
#include "fjord/optim/schedules.hpp"
#include "fjord/optim/sgd.hpp"
#include "fjord/tests/support/flows.hpp"

namespace fjord::flows {
namespace {

using test::normals;

/// N(mean, scale^2) of one column, both trained: its best fit is known. A negative scale gives NaN.
class Normal final : public Distribution<double> {
 public:
  explicit Normal(double scale = 1) : scale_(Tensor<double>(scale)) {}

  Index dim() const override { return 1; }

  Var<double> sample(Tape<double>&, Index, Context<double>&) const override { return {}; }

  Var<double> log_prob(const Var<double>& x, Context<double>& context) const override {
    ++context.evaluations;
    Tape<double>& tape = x.tape();
    const Var<double> scale = tape.bind(scale_);
    const Var<double> z = (x - tape.bind(mean_)) / scale;
    return sum(square(z) * -0.5 - log(scale) - 0.5 * std::log(2 * std::numbers::pi), {1});
  }

  nn::Description<double> describe() override {
    return nn::Description<double>("").parameter("mean", mean_).parameter("scale", scale_);
  }

  double centre() const { return mean_.value().item(); }

  double scale() const { return scale_.value().item(); }

 private:
  Parameter<double> mean_{Tensor<double>(0.0)};
  Parameter<double> scale_;
};

/// Rows of N(2, 0.5^2).
Tensor<double> data(Index rows, std::uint64_t seed) {
  Tensor<double> x = normals({rows, 1}, seed, 0.5);
  for (double& value : x.storage()) value += 2;
  return x;
}

struct Moments {
  double mean = 0;
  double deviation = 0;
};

Moments moments(const Tensor<double>& x, const std::vector<double>& weights = {}) {
  Moments m;
  double total = 0;
  for (Index i = 0; i < x.size(); ++i) {
    const double w = weights.empty() ? 1 : weights[static_cast<std::size_t>(i)];
    total += w;
    m.mean += w * x(i, 0);
  }
  m.mean /= total;
  for (Index i = 0; i < x.size(); ++i) {
    const double w = weights.empty() ? 1 : weights[static_cast<std::size_t>(i)];
    m.deviation += w * std::pow(x(i, 0) - m.mean, 2) / total;
  }
  m.deviation = std::sqrt(m.deviation);
  return m;
}

FitOptions<double> whole_batches(Index rows, Index epochs) {
  FitOptions<double> options;
  options.batch = rows;
  options.epochs = epochs;
  options.rate = 0.05;
  return options;
}

TEST_CASE("fit: it ends at the maximum of the likelihood") {
  const Tensor<double> x = data(500, 1);
  Normal model;
  Workers workers(1);
  FitOptions<double> options = whole_batches(500, 400);
  options.schedule = optim::schedule_named("cosine", steps_of(options, 500));
  const FitReport report = fit<double>(model, TableRows<double>(x), nullptr, workers, options);
  const Moments best = moments(x);
  CHECK(model.centre() == doctest::Approx(best.mean).epsilon(1e-6));
  CHECK(model.scale() == doctest::Approx(best.deviation).epsilon(1e-6));
  CHECK(report.end == FitEnd::epochs);
  CHECK(report.curve.size() == 400);
  CHECK(report.curve.back().steps == 400);
  // The entropy of the fitted normal.
  CHECK(report.curve.back().loss ==
        doctest::Approx(0.5 * std::log(2 * std::numbers::pi * std::numbers::e) +
                        std::log(best.deviation))
            .epsilon(1e-6));
  CHECK_FALSE(report.curve.back().held_out.has_value());
}

TEST_CASE("fit: a row's weight counts it as often") {
  const Tensor<double> x = data(60, 1);
  std::vector<double> weights(60);
  for (std::size_t i = 0; i < 60; ++i) weights[i] = 0.5 + static_cast<double>(i % 7);
  Normal model;
  Workers workers(2);
  FitOptions<double> options = whole_batches(60, 600);
  options.schedule = optim::schedule_named("cosine", steps_of(options, 60));
  fit<double>(model, TableRows<double>(x, {}, weights), nullptr, workers, options);
  const Moments best = moments(x, weights);
  CHECK(model.centre() == doctest::Approx(best.mean).epsilon(1e-6));
  CHECK(model.scale() == doctest::Approx(best.deviation).epsilon(1e-6));
}

TEST_CASE("fit: the held-out loss is the mean of its rows, with its standard error") {
  const Tensor<double> x = data(100, 1);
  const Tensor<double> held_out = data(50, 2);
  Normal model;
  Workers workers(1);
  FitOptions<double> options = whole_batches(100, 1);
  options.rate = 1e-12;  // the model stays N(0, 1)
  const TableRows<double> scored(held_out);
  const FitReport report = fit<double>(model, TableRows<double>(x), &scored, workers, options);
  double sum = 0;
  double squares = 0;
  for (Index i = 0; i < 50; ++i)
    sum += 0.5 * held_out(i, 0) * held_out(i, 0) + 0.5 * std::log(2 * std::numbers::pi);
  for (Index i = 0; i < 50; ++i) {
    const double loss =
        0.5 * held_out(i, 0) * held_out(i, 0) + 0.5 * std::log(2 * std::numbers::pi);
    squares += std::pow(loss - sum / 50, 2);
  }
  CHECK(*report.curve[0].held_out == doctest::Approx(sum / 50).epsilon(1e-9));
  CHECK(*report.curve[0].standard_error ==
        doctest::Approx(std::sqrt(squares / 49 / 50)).epsilon(1e-9));
}

TEST_CASE("fit: patience ends it, and the parameters of the best epoch are left") {
  const Tensor<double> x = data(100, 1);
  // The held-out rows are at 1, which the model passes on its way to 2.
  const Tensor<double> held_out = Tensor<double>::full({10, 1}, 1.0);
  const TableRows<double> scored(held_out);
  Normal model;
  Workers workers(1);
  FitOptions<double> options = whole_batches(100, 1000);
  options.patience = 5;
  const FitReport report = fit<double>(model, TableRows<double>(x), &scored, workers, options);
  CHECK(report.end == FitEnd::patience);
  const auto best = static_cast<std::size_t>(report.best_epoch);
  REQUIRE(best + 5 == report.curve.size());
  for (const FitEpoch& epoch : report.curve)
    CHECK(*epoch.held_out >= *report.curve[best - 1].held_out);
  const double z = (1 - model.centre()) / model.scale();
  const double left = 0.5 * z * z + std::log(model.scale()) + 0.5 * std::log(2 * std::numbers::pi);
  CHECK(left == doctest::Approx(*report.curve[best - 1].held_out).epsilon(1e-12));
}

TEST_CASE("fit: an average of the parameters is what is left") {
  const Tensor<double> x = data(100, 1);
  Workers workers(1);
  FitOptions<double> options = whole_batches(100, 3);
  std::vector<double> means;
  Normal plain;
  fit<double>(plain, TableRows<double>(x), nullptr, workers, options,
              [&](const Fit<double>&) { return means.push_back(plain.centre()), true; });
  means.push_back(plain.centre());
  options.average = 0.75;
  Normal averaged;
  fit<double>(averaged, TableRows<double>(x), nullptr, workers, options);
  REQUIRE(means.size() == 3);
  const double exact = 0.75 * (0.75 * means[0] + 0.25 * means[1]) + 0.25 * means[2];
  CHECK(averaged.centre() == doctest::Approx(exact).epsilon(1e-12));
}

/// What a run leaves.
struct Result {
  double mean;
  double scale;
  std::vector<FitEpoch> curve;

  bool operator==(const Result&) const = default;
};

TEST_CASE("fit: a run that is interrupted anywhere leaves the same bits") {
  const Tensor<double> x = data(70, 1);
  const Tensor<double> held_out = data(30, 2);
  const TableRows<double> rows(x);
  const TableRows<double> scored(held_out);
  Workers workers(2);
  FitOptions<double> options = whole_batches(16, 4);
  options.average = 0.9;
  options.schedule = optim::schedule_named("one_cycle", steps_of(options, 70));
  const auto run = [&](Index interruption) {
    auto model = std::make_unique<Normal>();
    auto training = std::make_unique<Fit<double>>(*model, rows, &scored, workers, options);
    for (Index i = 0; i < interruption; ++i) training->step();
    const std::string bytes = nn::format_safetensors(training->state());
    training.reset();
    model = std::make_unique<Normal>();
    training = std::make_unique<Fit<double>>(*model, rows, &scored, workers, options);
    training->restore(nn::parse_safetensors(bytes, "state"));
    while (training->step()) continue;
    return Result{model->centre(), model->scale(), training->report().curve};
  };
  const Result whole = run(0);
  CHECK(whole.curve.size() == 4);
  for (Index steps = 1; steps <= 20; ++steps) {
    CAPTURE(steps);
    CHECK(run(steps) == whole);
  }
}

TEST_CASE("fit: a run that has ended goes on when it gets more epochs") {
  const Tensor<double> x = data(40, 1);
  const TableRows<double> rows(x);
  Workers workers(1);
  const auto run = [&](Index first) {
    Normal model;
    Fit<double> start(model, rows, nullptr, workers, whole_batches(16, first));
    while (start.step()) continue;
    Fit<double> rest(model, rows, nullptr, workers, whole_batches(16, 5));
    rest.restore(start.state());
    while (rest.step()) continue;
    CHECK(rest.report().curve.size() == 5);
    return model.centre();
  };
  CHECK(run(2) == run(5));
}

TEST_CASE("fit: a step that fails lowers the rate and goes on from the epoch's beginning") {
  Tensor<double> x = data(64, 1);
  const TableRows<double> rows(x);
  Workers workers(1);
  FitOptions<double> options = whole_batches(16, 30);
  // Steps of this size throw the model off, smaller ones do not.
  options.optimizer = [](const optim::ParameterGroups<double>& parameters) {
    return std::make_unique<optim::Sgd<double>>(parameters, optim::SgdOptions{.rate = 60});
  };
  options.retry_factor = 0.05;
  Normal model(3);
  const FitReport report = fit<double>(model, rows, nullptr, workers, options);
  CHECK(report.end == FitEnd::epochs);
  CHECK(report.failures > 0);
  CHECK(report.failures <= 3);
  CHECK(report.failure.find("not a number") != std::string::npos);
  CHECK(report.curve.size() == 30);
  CHECK(std::isfinite(model.centre()));
  options.retries = 0;
  Normal lost(3);
  const FitReport failed = fit<double>(lost, rows, nullptr, workers, options);
  CHECK(failed.end == FitEnd::failure);
  // What is left is the last good state.
  CHECK(lost.centre() == 0);
  CHECK(lost.scale() == 3);
}

TEST_CASE("fit: a step that makes a matrix singular fails as others do") {
  const Tensor<double> x = normals({64, 1}, 1, 0.01);
  const TableRows<double> rows(x);
  Workers workers(1);
  FitOptions<double> options = whole_batches(16, 30);
  // The logarithm of the matrix, whose slope at first is 1 - 0.01^2, becomes about -1e4.
  options.optimizer = [](const optim::ParameterGroups<double>& parameters) {
    return std::make_unique<optim::Sgd<double>>(parameters, optim::SgdOptions{.rate = 1e4});
  };
  options.retry_factor = 1e-9;
  TransformedDistribution<double> model(
      std::make_unique<DiagonalNormal<double>>(std::vector<double>{0}, std::vector<double>{1}),
      std::make_unique<Triangular<double>>(1));
  const FitReport report = fit<double>(model, rows, nullptr, workers, options);
  CHECK(report.end == FitEnd::epochs);
  CHECK(report.failures == 1);
  CHECK(report.failure.find("the matrix is singular in step 2") != std::string::npos);
  CHECK(report.curve.back().loss < report.curve.front().loss);
}

TEST_CASE("fit: regularisers are weighed and reported, in training only") {
  // f = w: the kinetic energy is w^2, and the rows at 2 are moved to 2 - w under N(0, 1).
  class Constant final : public VectorField<double> {
   public:
    Var<double> slope(const Var<double>&, const Var<double>& x, const Var<double>&) const override {
      return x * 0.0 + x.tape().bind(w_);
    }

    nn::Description<double> describe() override {
      return nn::Description<double>("").parameter("w", w_);
    }

    double w() const { return w_.value().item(); }

   private:
    Parameter<double> w_{Tensor<double>(0.0)};
  };

  auto field = std::make_unique<Constant>();
  const Constant& constant = *field;
  TransformedDistribution<double> model(
      std::make_unique<DiagonalNormal<double>>(std::vector<double>{0}, std::vector<double>{1}),
      std::make_unique<Ffjord<double>>(std::move(field)));
  const Tensor<double> x = Tensor<double>::full({10, 1}, 2.0);
  const TableRows<double> rows(x);
  Workers workers(2);
  FitOptions<double> options = whole_batches(10, 300);
  options.loss =
      std::make_shared<NegativeLogLikelihood<double>>(std::vector<WeightedRegularizer<double>>{
          {&regularizer_named<double>("kinetic_energy"), 0.5}});
  options.keep_best = false;  // the best for the held-out rows has no regulariser
  options.schedule = optim::schedule_named("cosine", steps_of(options, 10));
  const FitReport report = fit<double>(model, rows, &rows, workers, options);
  // The least of (2 - w)^2 / 2 + w^2 / 2.
  CHECK(constant.w() == doctest::Approx(1).epsilon(1e-5));
  REQUIRE(report.curve.back().penalties.size() == 1);
  CHECK(report.curve.back().penalties[0] == doctest::Approx(1).epsilon(1e-4));
  const double nll = 0.5 + 0.5 * std::log(2 * std::numbers::pi);
  CHECK(report.curve.back().loss == doctest::Approx(nll + 0.5).epsilon(1e-4));
  CHECK(*report.curve.back().held_out == doctest::Approx(nll).epsilon(1e-4));
}

TEST_CASE("fit: the caller may end it") {
  const Tensor<double> x = data(64, 1);
  Normal model;
  Workers workers(1);
  const FitReport report =
      fit<double>(model, TableRows<double>(x), nullptr, workers, whole_batches(16, 3),
                  [](const Fit<double>& run) { return run.position().steps < 5; });
  CHECK(report.end == FitEnd::callback);
  CHECK(report.curve.size() == 1);
}

TEST_CASE("fit: options out of their ranges and states that do not fit are refused") {
  const Tensor<double> x = data(10, 1);
  const TableRows<double> rows(x);
  Normal model;
  Workers workers(1);
  const auto refuses = [&](auto change, const char* part) {
    FitOptions<double> options;
    change(options);
    CHECK_THROWS_WITH_AS(Fit<double>(model, rows, nullptr, workers, options),
                         doctest::Contains(part), std::invalid_argument);
  };
  refuses([](auto& o) { o.batch = 0; }, "batch must be positive");
  refuses([](auto& o) { o.epochs = -1; }, "epochs must not be negative");
  refuses([](auto& o) { o.retry_factor = 1; }, "retry_factor must be in (0, 1)");
  refuses([](auto& o) { o.gradient = &ode::values_only; }, "a mode that has derivatives");
  refuses([](auto& o) { o.rate = -1; }, "rate");
  DiagonalNormal<double> fixed({0}, {1});
  CHECK_THROWS_WITH_AS(Fit<double>(fixed, rows, nullptr, workers, {}),
                       "[fit] the model has no parameters to train", std::invalid_argument);
  Fit<double> training(model, rows, nullptr, workers, {});
  CHECK_THROWS_WITH_AS(training.restore({}), doctest::Contains("not the state of a training run"),
                       std::invalid_argument);
  nn::State cut = training.state();
  cut.tensors.erase("now.parameters");
  CHECK_THROWS_WITH_AS(training.restore(cut), doctest::Contains("lacks the tensor now.parameters"),
                       std::invalid_argument);
  // Of ten rows in batches of three, after the third step; five of them make other batches.
  const FitOptions<double> options{.batch = 3};
  Fit<double> other(model, rows, nullptr, workers, options);
  for (int step = 0; step < 3; ++step) other.step();
  const Tensor<double> half = data(5, 1);
  const TableRows<double> fewer(half);
  Fit<double> shorter(model, fewer, nullptr, workers, options);
  CHECK_THROWS_WITH_AS(shorter.restore(other.state()),
                       doctest::Contains("of another number of rows or size of batches"),
                       std::invalid_argument);
  const Tensor<double> nothing = Tensor<double>::zeros({0, 1});
  const TableRows<double> none(nothing);
  CHECK_THROWS_WITH_AS(Fit<double>(model, rows, &none, workers, {}),
                       doctest::Contains("at least one held-out row"), std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
