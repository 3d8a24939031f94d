#include "fjord/apps/density/look.hpp"

#include <cmath>
#include <filesystem>
#include <numbers>

#include <doctest/doctest.h>

#include "fjord/autodiff/files.hpp"
#include "fjord/flows/conditional_affine.hpp"
#include "fjord/flows/distribution.hpp"
#include "fjord/flows/model_file.hpp"
#include "fjord/tests/support/temporary_folder.hpp"

namespace fjord::apps::density {
namespace {

// The regression x ~ N(2 c + 3, 0.5^2), as a model file with these names.
nn::State regression(const flows::ColumnNames& names) {
  auto map = std::make_unique<flows::ConditionalAffine<double>>(
      1, 1, flows::ConditionalAffineOptions{{}, "tanh"}, RandomKey(1));
  const nn::NamedParameters<double> parameters = nn::parameters_of(*map);
  parameters[0].parameter->mutable_values()[0] = 2;
  parameters[1].parameter->mutable_values()[0] = 3;
  parameters[1].parameter->mutable_values()[1] = std::log(0.5);
  flows::TransformedDistribution<double> model(std::make_unique<flows::DiagonalNormal<double>>(
                                                   std::vector<double>{0}, std::vector<double>{1}),
                                               std::move(map));
  return flows::state_of(model, names);
}

// Rows of that regression, x of this deviation, as CSV with the columns in the other order.
std::string rows_of_regression(int count, double deviation) {
  std::vector<double> numbers(static_cast<std::size_t>(2 * count));
  RandomKey(5).normal<double>(numbers);
  std::string text = "c,other,x\n";
  for (std::size_t i = 0; i < numbers.size(); i += 2) {
    const double c = 10 * numbers[i];
    text += std::to_string(c) + ",word," + std::to_string(2 * c + 3 + deviation * numbers[i + 1]) +
            "\n";
  }
  return text;
}

ApplyOptions options_for(const test::TemporaryFolder& folder, const std::string& csv) {
  ApplyOptions options;
  options.model = "model.safetensors";
  options.data = (folder.path / "t.csv").string();
  write_file(options.data, csv);
  return options;
}

TEST_CASE("look: a conditional model is looked at given the rows' own columns") {
  const test::TemporaryFolder folder;
  const nn::State state = regression({{"x"}, {"c"}});
  Workers workers(2);
  for (const double deviation : {0.5, 1.0}) {
    const ApplyOptions options = options_for(folder, rows_of_regression(1'500, deviation));
    const auto model = looked_at(state, options, workers);
    const LookRows rows = load_look_rows(options, state, *model);
    CHECK(rows.names == std::vector<std::string>{"x", "c"});
    const Look look = look_at(*model, rows, look_key(1));
    REQUIRE(look.rows.shape() == Shape{1000, 2});
    CHECK(look.samples.shape() == Shape{99'000, 2});
    CHECK(look.samples(198, 1) == look.rows(2, 1));
    for (Index i = 0; i < 20; ++i) {
      CHECK(look.rows(i, 0) == rows.values(look.numbers[static_cast<std::size_t>(i)] - 1, 0));
      const double u = (look.rows(i, 0) - 2 * look.rows(i, 1) - 3) / 0.5;
      CHECK(look.log_densities[static_cast<std::size_t>(i)] ==
            doctest::Approx(-u * u / 2 - std::log(0.5 * std::sqrt(2 * std::numbers::pi))));
    }
    const Judgement judgement = judge(look, look_key(1), workers);
    // Half of the mass lies within 0.67449 deviations: P(|Z| < 0.67449 * 0.5 / deviation).
    const double expected = deviation == 0.5 ? 0.5 : 0.26407;
    CHECK(std::abs(judgement.coverages[0].share - expected) < 4 * 0.0158);
    CHECK((judgement.uniformity.p_value < 0.01) == (deviation == 1));
    CHECK(judgement.compared == 1000);
    // Between N(0, 0.5^2) and N(0, 1) the distribution functions differ by at most 0.1613, at 0.5 *
    // sqrt(8 log(2) / 3); 0.05 is five standard errors of the share of 1000 rows.
    REQUIRE(judgement.columns.size() == 1);
    CHECK(judgement.columns[0].name == "x");
    const double distance = judgement.columns[0].uniformity.distance;
    CHECK(std::abs(distance - (deviation == 0.5 ? 0.02 : 0.1613)) < 0.05);
    CHECK((judgement.columns[0].uniformity.p_value < 0.001) == (deviation == 1));
  }
}

// Samples and rows of the same normal distribution, rounded to this step.
Look rounded_look(double step, double centre) {
  Look look;
  look.names = {"x"};
  look.dim = 1;
  look.rows = Tensor<double>::zeros({1'000, 1});
  look.samples = Tensor<double>::zeros({9'999, 1});
  RandomKey(1).normal(look.rows.storage());
  RandomKey(2).normal(look.samples.storage());
  for (double& x : look.rows.storage()) x = step * std::round((x + centre) / step);
  look.levels.assign(1'000, 0.5);
  return look;
}

TEST_CASE("look: the numbers of a rounded column stand for all within half a step") {
  Workers workers(2);
  for (const double step : {0.1, 0.75, 2.5}) {
    const Judgement judgement = judge(rounded_look(step, 0), look_key(1), workers);
    CHECK(judgement.columns[0].uniformity.p_value > 0.01);
  }
  // As far as 2 Phi(1/8) - 1, but for where the steps end; and three deviations of a share.
  for (const double step : {0.1, 0.75}) {
    const Judgement moved = judge(rounded_look(step, 0.25), look_key(1), workers);
    CHECK(std::abs(moved.columns[0].uniformity.distance - 0.0995) < 0.045);
    CHECK(moved.columns[0].uniformity.p_value < 0.01);
  }
}

TEST_CASE("look: what is given must be in the table, by name") {
  const test::TemporaryFolder folder;
  Workers workers(1);
  const auto load = [&](const flows::ColumnNames& names, const std::string& csv) {
    const nn::State state = regression(names);
    const ApplyOptions options = options_for(folder, csv);
    return load_look_rows(options, state, *looked_at(state, options, workers));
  };
  CHECK_THROWS_WITH_AS(load({{"x"}, {"c"}}, "x\n1.5\n"), doctest::Contains("no column c"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(load({{"x"}, {"c"}}, "1.5,2.5\n"), doctest::Contains("rows of 2 numbers"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(load({{"x"}, {"c"}}, "1.5\n"), doctest::Contains("have no names"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(load({{"x"}, {}}, "x,c\n1.5,2.5\n"), doctest::Contains("have no names"),
                       std::invalid_argument);
}

TEST_CASE("look: without rows there are samples only, and none of a conditional model") {
  Workers workers(1);
  const nn::State state = regression({{"x"}, {"c"}});
  const auto model = looked_at(state, {}, workers);
  CHECK_THROWS_WITH_AS(look_at(*model, {}, look_key(1)), doctest::Contains("--data"),
                       std::invalid_argument);
}

}  // namespace
}  // namespace fjord::apps::density
