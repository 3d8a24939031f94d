/// Every part in a model that is trained: it ends well above its untrained self and above a normal
/// distribution.
#include <cmath>
#include <numbers>
#include <span>

#include <doctest/doctest.h>

#include "fjord/flows/conditional_affine.hpp"
#include "fjord/flows/fit.hpp"
#include "fjord/flows/types.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_models.hpp"

namespace fjord::flows {
namespace {

void check_all(std::span<const nn::PartType<double>> types, const test::PartModels& models) {
  for (const nn::PartType<double>& type : types) {
    const std::string name(type.name);
    // These do nothing without what is given: tests/flows/standardise_given_test.cpp.
    if (name == "conditional_affine" || name == "standardise_given") continue;
    CAPTURE(name);
    REQUIRE(models.contains(name));
    const test::PartModel& row = models.at(name);
    const auto model = row.make();
    test::check_learns(*model, row.rows(1024, 1), row.rows(2000, 2), row.epochs, row.beaten);
  }
}

TEST_CASE("trained: a model with any bijector learns more than a normal distribution") {
  check_all(bijectors<double>(), test::models_of_bijectors());
}

TEST_CASE("trained: the flow of any field learns more than a normal distribution") {
  check_all(vector_fields<double>(), test::models_of_fields());
}

TEST_CASE("trained: a model of any distribution learns") {
  check_all(distributions<double>(), test::models_of_distributions());
}

TEST_CASE("trained: couplings of any transformer learn more than a normal distribution") {
  check_all(transformers<double>(), test::models_of_transformers());
}

TEST_CASE("trained: a conditional map learns what the given numbers say") {
  // y = sin(2 g) + 0.2 n: at given g the entropy is that of the noise.
  const auto draw = [](Index count, std::uint64_t seed, Tensor<double>& given) {
    given = test::normals({count, 1}, seed);
    Tensor<double> y = test::normals({count, 1}, seed + 1, 0.2);
    for (Index i = 0; i < count; ++i) y(i, 0) += std::sin(2 * given(i, 0));
    return y;
  };
  Tensor<double> given;
  Tensor<double> fresh_given;
  const Tensor<double> y = draw(2048, 1, given);
  const Tensor<double> fresh = draw(2000, 3, fresh_given);
  TransformedDistribution<double> model(
      std::make_unique<DiagonalNormal<double>>(std::vector<double>{0}, std::vector<double>{1}),
      std::make_unique<ConditionalAffine<double>>(1, 1, ConditionalAffineOptions{.hidden = {24}},
                                                  RandomKey(11)));
  Workers workers(2);
  FitOptions<double> options{.epochs = 40, .batch = 128, .rate = 2e-2};
  fit<double>(model, TableRows<double>(y, given), nullptr, workers, options);
  ShardedModel<double> sharded(model, workers);
  const auto log_prob =
      sharded.log_prob(TableRows<double>(fresh, fresh_given), RandomKey(11)).values;
  const test::Score trained = test::score(log_prob.to_vector());
  const double entropy = 0.5 * std::log(2 * std::numbers::pi * std::numbers::e) + std::log(0.2);
  CHECK(trained.mean < -entropy + 4 * trained.error);
  CHECK(trained.mean > -entropy - 0.2);
}

}  // namespace
}  // namespace fjord::flows
