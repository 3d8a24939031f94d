#include "fjord/flows/sum_of_squares.hpp"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/flows/increasing_root.hpp"
#include "fjord/flows/unconstrained_monotonic.hpp"

namespace fjord::flows {
namespace {

const std::vector<double> places{-1.9, -0.6, 0.1, 1.3};

// Holds a transformer at `places`, with the same parameters at all, against an integral and the log
// of its integrand.
void check(const Transformer<double>& transformer, const std::vector<double>& parameters,
           const std::vector<double>& value, const std::vector<double>& log_slope) {
  Tape<double> tape;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Var<double> all =
        tape.input(Tensor<double>::from({1, static_cast<Index>(parameters.size())}, parameters));
    const WithLogSlope<double> y = transformer.apply(tape.input({{places[i]}}), all);
    CHECK(y.value.item() == doctest::Approx(value[i]).epsilon(1e-12));
    CHECK(y.log_slope.item() == doctest::Approx(log_slope[i]).epsilon(1e-12));
    const WithLogSlope<double> x = transformer.invert(tape.input({{value[i]}}), all);
    CHECK(x.value.item() == doctest::Approx(places[i]).epsilon(1e-12));
    CHECK(x.log_slope.item() == doctest::Approx(-log_slope[i]).epsilon(1e-11));
  }
}

TEST_CASE("sum_of_squares: values and slopes are those of scipy") {
  std::vector<double> parameters;
  parameters.reserve(7);
  for (int k = 0; k < 7; ++k) parameters.push_back(1.2 * std::sin(1.7 * k + 0.3));
  // By the quad of scipy 1.17.1.
  check(SumOfSquares<double>({2, 2}), parameters,
        {-26.541868701579, -3.7054442150214, -0.75837134451731, 2.6215429801978},
        {3.6034015605644, 1.8411377020254, 1.0486432295523, 1.4245564619592});
}

TEST_CASE("sum_of_squares: integrals of a network are those of scipy") {
  UnconstrainedMonotonic<double> transformer({1, {}, "tanh", 32}, RandomKey(1));
  const auto parameters = nn::parameters_of(transformer);
  parameters[0].parameter->mutable_values()[0] = 0.8;
  parameters[0].parameter->mutable_values()[1] = 0.5;
  parameters[1].parameter->mutable_values()[0] = -0.2;
  // By the quad of scipy 1.17.1, of exp(7 tanh((0.8 t + 0.5 0.7 - 0.2) / 7)).
  check(transformer, {0.7, 0.3},
        {-0.83721678729205, -0.25365630302525, 0.4209512691152, 2.9454485109412},
        {-1.3527717200324, -0.32975574774522, 0.22991726701947, 1.1786673210957});
}

TEST_CASE("sum_of_squares: roots of increasing maps are found wherever they are") {
  Tape<double> tape;
  const IncreasingMap<double> cubic = [](const Var<double>& x) -> WithLogSlope<double> {
    return {x * square(x) + x * 1e-3, log(square(x) * 3.0 + 1e-3)};
  };
  for (const double x : {-1e50, -40.0, -1e-7, 0.0, 1e-30, 0.3, 1.0, 1e9}) {
    CAPTURE(x);
    const Var<double> y = tape.input({{x * x * x + 1e-3 * x}});
    CHECK(increasing_root(cubic, y, 1e-3).item() == doctest::Approx(x).epsilon(1e-14));
  }
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double y : {infinity - infinity, infinity, -infinity})
    CHECK(std::isnan(increasing_root(cubic, tape.input({{y}}), 1e-3).item()));
}

TEST_CASE("sum_of_squares: settings out of their ranges are refused") {
  for (const SumOfSquaresSettings& wrong : {SumOfSquaresSettings{0, 2}, {33, 2}, {2, 0}, {2, 17}})
    CHECK_THROWS_AS(SumOfSquares<double>{wrong}, std::invalid_argument);
  for (const UnconstrainedMonotonicSettings& wrong :
       {UnconstrainedMonotonicSettings{0, {4}, "tanh", 8},
        {4, {0}, "tanh", 8},
        {4, {4}, "step", 8},
        {4, {4}, "tanh", 0},
        {4, {4}, "tanh", 257}})
    CHECK_THROWS_AS(UnconstrainedMonotonic<double>(wrong, RandomKey(1)), std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
