#include "fjord/flows/spline.hpp"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "fjord/autodiff/random.hpp"
#include "fjord/autodiff/tape.hpp"
#include "fjord/flows/polynomial_splines.hpp"
#include "fjord/flows/rational_quadratic.hpp"
#include "fjord/tests/support/check_flow.hpp"

namespace fjord::flows {
namespace {

struct SplineCase {
  const char* name;
  std::unique_ptr<Transformer<double>> spline;
  bool is_smooth;                 // has a slope that is continuous in the interval
  bool has_smooth_ends;           // has slope 1 at its ends
  std::vector<double> value;      // at `places`, with the parameters of `waves`
  std::vector<double> log_slope;  // there
};

constexpr SplineSettings settings{4, 2.0};
const std::vector<double> places{-1.9, -0.6, 0.1, 1.3};

// The rational-quadratic numbers are those of zuko 1.6.0's MonotonicRQSTransform, given knots and
// slopes by numpy; the others by numpy 2.4.6 and scipy 1.17.1 (numpy.interp; the quad of a
// piecewise linear density; CubicHermiteSpline).
std::vector<SplineCase> all_splines() {
  std::vector<SplineCase> cases;
  cases.push_back({"rational_quadratic",
                   std::make_unique<RationalQuadraticSpline<double>>(settings),
                   true,
                   true,
                   {-1.8923727626416, 0.16928673323254, 0.6002663222505, 1.2630191026777},
                   {0.14144122190752, -0.057328470140131, -0.81664646537698, 0.027604055343765}});
  cases.push_back({"linear",
                   std::make_unique<LinearSpline<double>>(settings),
                   false,
                   false,
                   {-1.8912446266732, -0.033907220882371, 1.3246327827056, 1.7838509872167},
                   {0.08393089266142, 0.78679580557577, -0.89817003752048, -1.1751122912161}});
  cases.push_back({"quadratic",
                   std::make_unique<QuadraticSpline<double>>(settings),
                   true,
                   true,
                   {-1.8991785957609, -0.45098858303639, 0.33640806804536, 1.5933758200895},
                   {0.016294603705873, 0.14261316770195, 0.092051356831791, -0.032707444171361}});
  cases.push_back({"cubic",
                   std::make_unique<CubicSpline<double>>(settings),
                   true,
                   false,
                   {-1.7230013614291, 0.11248394098563, 0.63143024265079, 1.2563430313413},
                   {0.94176052790411, -0.0098043797105456, -0.59012167637224, -0.47563976451909}});
  return cases;
}

// Parameters of one entry, the same for all rows.
Tensor<double> waves(Index rows, Index count, Index zeros = 0) {
  Tensor<double> parameters = Tensor<double>::zeros({rows, count});
  for (Index i = 0; i < rows; ++i) {
    for (Index k = zeros; k < count; ++k)
      parameters(i, k) = 1.2 * std::sin(1.7 * static_cast<double>(k) + 0.3);
  }
  return parameters;
}

struct Point {
  double value;
  double log_slope;
};

Point at(const Transformer<double>& spline, double x, Index zeros, bool inverted = false) {
  Tape<double> tape;
  const Var<double> in = tape.input(Tensor<double>{{x}});
  const Var<double> parameters = tape.input(waves(1, spline.parameter_count(), zeros));
  const WithLogSlope<double> y =
      inverted ? spline.invert(in, parameters) : spline.apply(in, parameters);
  return {y.value.item(), y.log_slope.item()};
}

TEST_CASE("spline: values and slopes are those of other programs") {
  for (const SplineCase& c : all_splines()) {
    CAPTURE(c.name);
    for (std::size_t i = 0; i < places.size(); ++i) {
      const Point y = at(*c.spline, places[i], 0);
      CHECK(std::abs(y.value - c.value[i]) < 1e-12);
      CHECK(std::abs(y.log_slope - c.log_slope[i]) < 1e-12);
      const Point x = at(*c.spline, c.value[i], 0, true);
      CHECK(std::abs(x.value - places[i]) < 1e-12);
      CHECK(std::abs(x.log_slope + c.log_slope[i]) < 1e-11);
    }
  }
}

TEST_CASE("spline: at knots, values are continuous, and so are smooth splines' slopes") {
  constexpr double step = 1e-9;
  for (const SplineCase& c : all_splines()) {
    CAPTURE(c.name);
    // Widths of equal logits: knots at -1, 0 and 1. (A linear spline has no others.)
    const Index zeros = c.is_smooth ? settings.bins : 0;
    for (const double knot : {-1.0, 0.0, 1.0}) {
      const Point on = at(*c.spline, knot, zeros);
      for (const double side : {-step, step}) {
        const Point beside = at(*c.spline, knot + side, zeros);
        CHECK(std::abs(on.value - beside.value) < 1e-7);
        if (c.is_smooth) CHECK(std::abs(on.log_slope - beside.log_slope) < 1e-6);
      }
      CHECK(at(*c.spline, on.value, zeros, true).value == doctest::Approx(knot).epsilon(1e-12));
    }
  }
}

TEST_CASE("spline: at the bound and beyond it is the identity") {
  for (const SplineCase& c : all_splines()) {
    CAPTURE(c.name);
    for (const bool inverted : {false, true}) {
      for (const double x : {-1e300, -2.5, -2.0, 2.0, 2.5, 1e300}) {
        const Point y = at(*c.spline, x, 0, inverted);
        CHECK(y.value == x);
        CHECK(y.log_slope == 0);
      }
      for (const double x : {std::nextafter(2.0, 0.0), std::nextafter(-2.0, 0.0)}) {
        const Point y = at(*c.spline, x, 0, inverted);
        CHECK(std::abs(y.value - x) < 1e-14);
        if (c.has_smooth_ends) CHECK(std::abs(y.log_slope) < 1e-13);
      }
    }
  }
}

// Beside knots, where a rounded place may be outside of its bin: of narrow bins with steep pieces
// and flat ends.
TEST_CASE("spline: in single precision, every number has a place and a slope") {
  constexpr Index rows = 50'000;
  constexpr Index bins = 8;
  const RationalQuadraticSpline<float> spline({bins, 5.0});
  Tape<float> tape;
  Tensor<float> numbers = Tensor<float>::zeros({rows, 3 * bins - 1});
  RandomKey(1).normal(numbers.storage());
  for (float& number : numbers.storage()) number *= 20;
  const Var<float> parameters = tape.input(numbers);
  Tensor<float> x = Tensor<float>::zeros({rows, 1});
  RandomKey(2).uniform(x.storage());
  for (float& number : x.storage()) number = 10 * number - 5;
  const auto check = [&](const WithLogSlope<float>& mapped) {
    Index lost = 0;
    for (Index i = 0; i < rows; ++i) {
      const bool is_kept = std::abs(mapped.value.value()(i, 0)) <= 5.00001F &&
                           std::isfinite(mapped.log_slope.value()(i, 0));
      if (!is_kept) ++lost;
    }
    CHECK(lost == 0);
  };
  const WithLogSlope<float> y = spline.apply(tape.input(x), parameters);
  check(y);
  check(spline.invert(tape.input(x), parameters));
  check(spline.invert(y.value, parameters));
}

TEST_CASE("spline: settings out of their ranges are refused") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const SplineSettings& wrong :
       {SplineSettings{1, 2}, {513, 2}, {4, 0}, {4, -1}, {4, infinity}, {4, NAN}})
    CHECK_THROWS_AS(RationalQuadraticSpline<double>{wrong}, std::invalid_argument);
  CHECK_THROWS_AS(LinearSpline<float>({4, 1e39}), std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
