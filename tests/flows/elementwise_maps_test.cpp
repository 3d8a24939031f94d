#include "fjord/flows/elementwise_maps.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "fjord/flows/stack.hpp"
#include "fjord/flows/standardise.hpp"
#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_battery.hpp"

namespace fjord::flows {
namespace {

using Made = std::unique_ptr<Bijector<double>>;

template <class C, auto... settings>
Made make() {
  return std::make_unique<C>(settings...);
}

Made interval() {
  return std::make_unique<Sigmoid<double>>(-2, 3);
}

Made soft_clip() {
  return std::make_unique<SoftClip<double>>(-2, 3, 0.5);
}

Made logit() {
  return std::make_unique<Inverse<double>>(std::make_unique<Sigmoid<double>>(-5, 5));
}

Made power() {
  return std::make_unique<Power<double>>(-2.5);
}

TEST_CASE("elementwise_maps: every route, company, precision and the file agree") {
  struct Row {
    const char* name;
    Made (*make)();
    double shift = 0;  ///< moves the rows into the domain
  };

  for (const Row& row :
       {Row{"exp", make<Exp<double>>}, Row{"softplus", make<Softplus<double>>},
        Row{"tanh", make<Tanh<double>>}, Row{"sigmoid", interval}, Row{"logit", logit},
        Row{"power", power, 4}, Row{"soft clip", soft_clip}}) {
    Tensor<double> x = test::normals({4, 3}, 7);
    for (double& number : x.storage()) number += row.shift;
    test::check_bijector(
        {.name = row.name, .make = [&](const RandomKey&) { return row.make(); }, .x = x});
  }
}

TEST_CASE("elementwise_maps: values and slopes are those of mpmath") {
  struct Value {
    const char* name;
    Made (*make)();
    double x;
    double y;
    double log_slope;
  };

  // mpmath 1.3.0 with 30 digits.
  const std::vector<Value> values{
      {"softplus", make<Softplus<double>>, -40, 4.2483542552915611e-18, -40},
      {"softplus", make<Softplus<double>>, -1.3, 0.24100845383299221, -1.5410084538329922},
      {"softplus", make<Softplus<double>>, 50, 50, -1.9287498479942364e-22},
      {"tanh", make<Tanh<double>>, -40, -1, -78.613705638880109},
      {"tanh", make<Tanh<double>>, -1.3, -0.86172315931330636, -1.356995022815449},
      {"tanh", make<Tanh<double>>, 30, 1, -58.613705638880109},
      {"sigmoid", interval, -1.3, -0.92917491521279306, -0.17257899523188404},
      {"sigmoid", interval, 40, 3, -38.390562087565906},
      {"soft clip", soft_clip, -4, -1.99092549298367, -4.0182006981872668},
      {"soft clip", soft_clip, 0.7, 0.69724036059281766, -0.014557550843037975},
      {"soft clip", soft_clip, 5, 2.9909250847182305, -4.0181561158981351},
      {"power", power, 1.7, 0.26538580928974756, -0.94090814684344132},
      {"exp", make<Exp<double>>, -30, 9.3576229688401746e-14, -30}};
  for (const Value& value : values) {
    CAPTURE(value.name);
    CAPTURE(value.x);
    Tape<double> tape;
    Context<double> context;
    const WithLogDet<double> y =
        value.make()->forward_with_log_det(tape.input(Tensor<double>{{value.x}}), context);
    CHECK(y.value.item() == doctest::Approx(value.y).epsilon(1e-14));
    CHECK(std::abs(y.log_det.item() - value.log_slope) < 1e-14 * (1 + std::abs(value.log_slope)));
  }
}

TEST_CASE("elementwise_maps: soft clip has the values that TensorFlow Probability publishes") {
  Tape<double> tape;
  Context<double> context;
  const Var<double> x = tape.input(Tensor<double>{{-15, -7, 1, 9, 20}});
  // The example of tfp.bijectors.SoftClip, in single precision.
  CHECK(test::worst_difference(
            Tensor<double>(SoftClip<double>(-10, 10, 1).forward(x, context).value()),
            {{-9.993284, -6.951412, 0.9998932, 8.686738, 9.999954}}) < 2e-6);
}

TEST_CASE("elementwise_maps: large numbers neither overflow nor lose their place") {
  Tape<double> tape;
  Context<double> context;
  for (const double y : {1e-300, 1e-20, 800.0, 1e300}) {
    const Var<double> x = Softplus<double>().inverse(tape.input(Tensor<double>{{y}}), context);
    // log(e^y - 1) is log y, or y, to all digits.
    CHECK(x.item() == doctest::Approx(y < 1 ? std::log(y) : y).epsilon(1e-15));
  }
  const Var<double> far = tape.input(Tensor<double>{{-1e4, 1e4}});
  CHECK(Sigmoid<double>().forward_with_log_det(far, context).log_det.item() == -2e4);
  CHECK(Tanh<double>().forward_with_log_det(far, context).log_det.item() ==
        doctest::Approx(-4e4 + 4 * std::log(2)).epsilon(1e-15));
}

TEST_CASE("elementwise_maps: what has no point in the base has density 0") {
  const auto density = [](Made map, double y) {
    const TransformedDistribution<double> model(
        std::make_unique<DiagonalNormal<double>>(std::vector<double>{0}, std::vector<double>{1}),
        std::move(map));
    return test::log_prob<double>(model, {{y}})(0);
  };
  for (const double y : {-1.0, 0.0}) {
    CHECK(density(make<Exp<double>>(), y) == -HUGE_VAL);
    CHECK(density(make<Softplus<double>>(), y) == -HUGE_VAL);
    CHECK(density(power(), y) == -HUGE_VAL);
  }
  for (const double y : {-2.5, -2.0, 3.0, 3.5}) {
    CHECK(density(make<Tanh<double>>(), y / 2 - 0.5 * (y > 0 ? 1 : 0)) == -HUGE_VAL);
    CHECK(density(interval(), y) == -HUGE_VAL);
    CHECK(density(soft_clip(), y) == -HUGE_VAL);
  }
  // A whole power of a negative number is finite, but of the wrong branch.
  CHECK(density(std::make_unique<Power<double>>(3), -8) == -HUGE_VAL);
}

TEST_CASE("elementwise_maps: rows outside of the support leave the others as they are") {
  std::vector<Made> columns;
  columns.push_back(make<Exp<double>>());
  columns.push_back(std::make_unique<Identity<double>>());
  columns.push_back(interval());
  std::vector<Made> parts;
  parts.push_back(std::make_unique<Standardise<double>>(std::vector<double>{0.5, 1, 0},
                                                        std::vector<double>{2, 1, 1}));
  parts.push_back(std::make_unique<Stack<double>>(std::move(columns), std::vector<Index>{1, 1, 1}));
  const TransformedDistribution<double> model(
      std::make_unique<DiagonalNormal<double>>(std::vector<double>{0, 0, 0},
                                               std::vector<double>{1, 1, 1}),
      std::make_unique<Chain<double>>(std::move(parts)));
  const Tensor<double> inside = test::log_prob<double>(model, {{1.5, -2, 0.5}, {0.1, 3, 1.5}});
  const Tensor<double> all = test::log_prob<double>(
      model, {{-1.5, -2, 0.5}, {1.5, -2, 0.5}, {0.1, 3, 3}, {0.1, 3, 1.5}, {NAN, 3, 1.5}});
  CHECK(all(0) == -HUGE_VAL);
  CHECK(all(1) == inside(0));
  CHECK(all(2) == -HUGE_VAL);
  CHECK(all(3) == inside(1));
  CHECK(std::isnan(all(4)));  // no number is neither inside nor outside
}

TEST_CASE_TEMPLATE("elementwise_maps: no sample is rounded to an end of the support", T, float,
                   double) {
  // Half of the sigmoids round to 0 or 1, and the exponentials to 0 or infinity.
  std::vector<std::unique_ptr<Bijector<T>>> columns;
  columns.push_back(std::make_unique<Sigmoid<T>>(-3, 1));
  columns.push_back(std::make_unique<Exp<T>>());
  columns.push_back(std::make_unique<Identity<T>>());
  const TransformedDistribution<T> model(
      std::make_unique<DiagonalNormal<T>>(std::vector<double>{0, 0, 0},
                                          std::vector<double>{100, 2000, 1}),
      std::make_unique<Stack<T>>(std::move(columns), std::vector<Index>{1, 1, 1}));
  Tape<T> tape;
  Context<T> context;
  context.random = RandomKey(1);
  const Tensor<T> x(model.sample(tape, 100, context).value());
  const Tensor<T> same(model.sample_and_log_prob(tape, 100, context).sample.value());
  CHECK(x == same);
  const Tensor<T> base(model.base().sample(tape, 100, context).value());
  for (Index i = 0; i < 100; ++i) {
    CHECK(x(i, 0) > -3);
    CHECK(x(i, 0) < 1);
    CHECK(x(i, 1) > 0);
    CHECK(std::isfinite(x(i, 1)));
    CHECK(x(i, 2) == base(i, 2));
  }
}

TEST_CASE_TEMPLATE("elementwise_maps: soft clipping keeps its digits next to its ends", T, float,
                   double) {
  struct Row {
    double x, y, log_slope;
  };

  // Numbers of mpmath 1.3 with 80 digits.
  constexpr double eps = std::numeric_limits<T>::epsilon();
  Context<T> context;
  const SoftClip<T> clip(0, 1, 50);
  for (const Row& row : {Row{-3449.1819409757381, 0x1p-100, -73.226741061422677},
                         Row{-884.53737212843075, 0x1p-26, -21.933849715496919},
                         Row{919.69723111476246, 1 - 0x1p-26, -21.933849715496919}}) {
    CAPTURE(row.x);
    if (static_cast<T>(row.y) == 1) continue;
    Tape<T> tape;
    const Var<T> x = tape.input({{static_cast<T>(row.x)}});
    const Var<T> y = tape.input({{static_cast<T>(row.y)}});
    const auto there = clip.forward_with_log_det(x, context);
    const auto back = clip.inverse_with_log_det(y, context);
    // A rounding of x, in units of the hinge, is one of the distance to the end.
    const double rounding = eps * std::max(1.0, std::abs(row.x) / 50);
    if (row.y < 0.5) CHECK(std::abs(there.value.item() / row.y - 1) < 4 * rounding);
    CHECK(std::abs(there.log_det.item() - row.log_slope) < 4 * rounding);
    CHECK(std::abs(back.value.item() - row.x) < 8 * eps * std::abs(row.x));
    CHECK(std::abs(back.log_det.item() + row.log_slope) < 8 * rounding);
  }
  // Nothing is beyond the ends, however near.
  Tape<T> tape;
  const auto at = [&](double y) {
    return clip.inverse(tape.input({{static_cast<T>(y)}}), context).item();
  };
  CHECK(at(0) == -HUGE_VAL);
  CHECK(at(1) == HUGE_VAL);
  CHECK(std::isnan(at(-1e-30)));
}

TEST_CASE_TEMPLATE("elementwise_maps: soft clipping hardly moves what is far from its ends", T,
                   float, double) {
  struct Row {
    double low, high, hinge, x, y;
  };

  // By mpmath 1.3 with 50 digits.
  for (const Row& row :
       {Row{-3, 3, 0x1p-7, -0.5, -0.5}, Row{-3, 3, 0.125, -0.5, -0.49999999974244223},
        Row{-3, 3, 0.125, 0, 0}, Row{-3, 3, 0.25, -0.25, -0.24999638969570917},
        Row{0, 1, 64, 0.25, 0.41505236477707653}, Row{0, 1, 1, -20, 1.1473905390745457e-9},
        Row{-3, 3, 0.125, 0.5, 0.49999999974244223}, Row{-1024, 1024, 0.5, -1000, -1000}}) {
    CAPTURE(row.hinge);
    CAPTURE(row.x);
    Tape<T> tape;
    Context<T> context;
    const SoftClip<T> clip(row.low, row.high, row.hinge);
    const Var<T> x = tape.input({{static_cast<T>(row.x)}});
    const Var<T> y = clip.forward(x, context);
    // Of the distance from the nearer end.
    const double room = std::min(row.y - row.low, row.high - row.y);
    CHECK(std::abs(y.item() - row.y) <
          8 * std::numeric_limits<T>::epsilon() * std::max(room, std::abs(row.y)));
    CHECK(gradient_values<T>(y, {x})[0].item() ==
          doctest::Approx(std::exp(clip.forward_with_log_det(x, context).log_det.item()))
              .epsilon(100 * std::numeric_limits<T>::epsilon())
              .scale(0));
  }
}

TEST_CASE_TEMPLATE("elementwise_maps: a power whose number vanishes has a slope", T, float,
                   double) {
  Tape<T> tape;
  Context<T> context;
  const T tiny = std::is_same_v<T, float> ? T(0x1p-100) : T(0x1p-1000);
  const Var<T> x = tape.input({{tiny}});
  CHECK(gradient_values<T>(Power<T>(2).forward(x, context), {x})[0].item() == 2 * tiny);
  CHECK(gradient_values<T>(Power<T>(0.5).inverse(x, context), {x})[0].item() == 2 * tiny);
  CHECK(std::isnan(Power<T>(2).forward(-x, context).item()));
}

TEST_CASE("elementwise_maps: settings that are no map are refused") {
  CHECK_THROWS_WITH_AS(Sigmoid<double>(1, 1), doctest::Contains("[sigmoid] an interval"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(SoftClip<double>(0, HUGE_VAL, 1), doctest::Contains("[soft_clip]"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(SoftClip<double>(0, 1, 0), doctest::Contains("a positive hinge"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(Power<double>(0), doctest::Contains("other than 0"), std::invalid_argument);
  // Too close together for float.
  CHECK_THROWS_AS(Sigmoid<float>(1, 1 + 1e-12), std::invalid_argument);
  Tape<double> tape;
  Context<double> context;
  CHECK_THROWS_WITH_AS(Exp<double>().forward(tape.input(Tensor<double>{1, 2}), context),
                       doctest::Contains("rows are needed"), std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
