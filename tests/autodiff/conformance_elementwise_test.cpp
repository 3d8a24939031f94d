// Elementwise derivatives that are published, or that other systems get wrong, with their numbers.
#include <functional>
#include <limits>
#include <numbers>
#include <string>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/error_function.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/gamma.hpp"
#include "fjord/autodiff/ops/hyperbolic.hpp"
#include "fjord/autodiff/ops/power.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/rounding.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/tests/support/routes.hpp"

namespace fjord::test {
namespace {

using V = Var<double>;

constexpr double inf = std::numeric_limits<double>::infinity();
// Numbers next to 1, where a difference from 1 is exact.
constexpr double above_one = 1 + 0x1p-40;
constexpr double below_one = 1 - 0x1p-40;

/// Derivatives of a function of one number, from the first on.
struct Case {
  std::string name;
  Function<double> f;
  double at;
  std::vector<double> derivatives;
  double tolerance = 4e-15;
};

std::string failure(const Case& c) {
  for (std::size_t i = 0; i < c.derivatives.size(); ++i) {
    const std::string wrong =
        wrong_route(c.f, {c.at}, static_cast<int>(i + 1), {c.derivatives[i]}, c.tolerance);
    if (!wrong.empty()) return c.name + ", order " + std::to_string(i + 1) + " " + wrong;
  }
  return {};
}

// Numbers of mpmath 1.4 with 260 digits, rounded to double, where no closed form stands.

TEST_CASE("conformance: derivatives of exponentials keep all digits where they are tiny") {
  const double tiny = 4.248354255291589e-18;  // e^-40
  const std::vector<Case> cases{
      {"tanh",
       [](const V& x) { return tanh(x); },
       20,
       {1.6993417021166355e-17, -3.398683404233271e-17, 6.797366808466542e-17}},
      // 4 e^-712, below the normal numbers, with the digits that are left there.
      {"tanh",
       [](const V& x) { return tanh(x); },
       356,
       {2.423197856799567e-309, -4.846395713599134e-309},
       1e-13},
      {"sigmoid", [](const V& x) { return sigmoid(x); }, 40, {tiny, -tiny, tiny}},
      {"softplus", [](const V& x) { return softplus(x); }, -40, {tiny, tiny, tiny}},
      {"log_sigmoid at 0", [](const V& x) { return log_sigmoid(x); }, 0, {0.5, -0.25, 0}},
      {"log_sigmoid at 40", [](const V& x) { return log_sigmoid(x); }, 40, {tiny, -tiny, tiny}},
      {"log_sigmoid at -40", [](const V& x) { return log_sigmoid(x); }, -40, {1, -tiny, -tiny}},
      {"expm1", [](const V& x) { return expm1(x); }, -40, {tiny, tiny, tiny}},
      {"elu", [](const V& x) { return elu(x); }, -40, {tiny, tiny, tiny}},
      {"celu", [](const V& x) { return celu(x); }, -40, {tiny, tiny, tiny}},
      {"selu",
       [](const V& x) { return selu(x); },
       -40,
       {7.46902881591429e-18, 7.46902881591429e-18, 7.46902881591429e-18}},
      {"mish",
       [](const V& x) { return mish(x); },
       -40,
       {-1.6568581595637197e-16, -1.6143746170108038e-16, -1.571891074457888e-16}},
      {"log1mexp at 1e-10",
       [](const V& x) { return log1mexp(x); },
       1e-10,
       {9999999999.5, -1e20, 1.9999999999999998e30}},
      {"log1mexp at 50",
       [](const V& x) { return log1mexp(x); },
       50,
       {1.9287498479639178e-22, -1.9287498479639178e-22, 1.9287498479639178e-22}},
  };
  for (const Case& c : cases) CHECK(failure(c) == "");
}

TEST_CASE("conformance: derivatives of powers and inverse functions near their ends") {
  const std::vector<Case> cases{
      {"sqrt", [](const V& x) { return sqrt(x); }, 5e-324, {2.2494568972715982e161, -inf, inf}},
      {"pow(x, 3) at 0", [](const V& x) { return pow(x, 3); }, 0, {0, 0, 6}},
      {"pow(x, 2) at 0", [](const V& x) { return pow(x, 2); }, 0, {0, 2, 0}},
      {"pow(x, 1) at 0", [](const V& x) { return pow(x, 1); }, 0, {1, 0, 0}},
      {"pow(x, 0) at 0", [](const V& x) { return pow(x, 0); }, 0, {0, 0, 0}},
      {"pow(x, 3) at -2", [](const V& x) { return pow(x, 3); }, -2, {12, -12, 6}},
      {"pow(0, x)", [](const V& x) { return pow(0, x); }, 2, {0, 0, 0}},
      {"x^x at 1", [](const V& x) { return pow(x, x); }, 1, {1, 2, 3}},
      {"asin",
       [](const V& x) { return asin(x); },
       below_one,
       {741455.2001896339, 4.0761930704155674e17, 6.722732516973827e29}},
      {"acosh",
       [](const V& x) { return acosh(x); },
       above_one,
       {741455.2001892966, -4.0761930704174214e17, 6.722732516974846e29}},
      {"atanh",
       [](const V& x) { return atanh(x); },
       below_one,
       {549755813888.25, 6.044629098073146e23, 1.329227995784916e36}},
      {"atan",
       [](const V& x) { return atan(x); },
       1e8,
       {9.999999999999999e-17, -1.9999999999999995e-24, 5.999999999999998e-32}},
      {"asinh", [](const V& x) { return asinh(x); }, 1e200, {1e-200}},
      {"softsign",
       [](const V& x) { return softsign(x); },
       1e10,
       {9.999999998e-21, -1.9999999994e-30, 5.9999999976e-40}},
  };
  for (const Case& c : cases) CHECK(failure(c) == "");
}

TEST_CASE("conformance: sinc is smooth through 0") {
  const double pi = std::numbers::pi;
  const auto f = [](const V& x) { return sinc(x); };
  const std::vector<Case> cases{
      {"at 0", f, 0, {0, -pi * pi / 3, 0, std::pow(pi, 4) / 5}},
      {"beside 0", f, 1e-9, {-3.289868133696453e-09, -3.289868133696453, 1.9481818206800487e-08}},
      {"at 0.3", f, 0.3, {-0.9020281301388888, -2.4584852862661744, 5.24749315292437}},
      {"far", f, 7.25, {-0.09324984703092876, 0.3321298156056608, 0.82516893142371}},
  };
  for (const Case& c : cases) CHECK(failure(c) == "");
}

TEST_CASE("conformance: derivatives of the error function's kin in the tails") {
  const auto log_cdf = [](const V& x) { return log_normal_cdf(x); };
  const std::vector<Case> cases{
      // The exponent's rounding costs as many digits as it has before the point.
      {"erf",
       [](const V& x) { return erf(x); },
       5,
       {1.5670866531017336e-11, -1.5670866531017336e-10, 1.5357449200396988e-09}},
      {"erfc",
       [](const V& x) { return erfc(x); },
       26,
       {-2.9470349932662697e-294, 1.53245819649846e-292, -7.96288855180546e-291},
       1e-13},
      {"erfinv",
       [](const V& x) { return erfinv(x); },
       0.3,
       {0.9545203588405493, 0.496486526010743, 2.255831802388849}},
      {"erfinv near 1",
       [](const V& x) { return erfinv(x); },
       1 - 0x1p-50,
       {97539097489305.25, 1.0819423657911088e29, 2.4188262881973398e44},
       1e-13},
      // The third cancels by as many digits as x^2 has.
      {"log_normal_cdf at -1e5", log_cdf, -1e5, {100000.00001, -0.9999999999}},
      {"log_normal_cdf at -40", log_cdf, -40, {40.02496884720726, -0.9993773316214086}},
      {"log_normal_cdf at -40, third",
       log_cdf,
       -40,
       {40.02496884720726, -0.9993773316214086, 3.101744039648625e-05},
       4e-12},
      {"log_normal_cdf at -5",
       log_cdf,
       -5,
       {5.186503967125842, -0.9673035653828878, 0.0108257645063567},
       1e-13},
      {"log_normal_cdf at -1",
       log_cdf,
       -1,
       {1.525135276160981, -0.8009023344296512, 0.11693119540604884},
       4e-14},
      {"log_normal_cdf at 0",
       log_cdf,
       0,
       {0.7978845608028654, -0.6366197723675814, 0.21801361414499015}},
      {"log_normal_cdf at 10",
       log_cdf,
       10,
       {7.694598626706419e-23, -7.694598626706419e-22, 7.617652640439355e-21}},
  };
  for (const Case& c : cases) CHECK(failure(c) == "");
}

TEST_CASE("conformance: derivatives of the gamma function's logarithm") {
  const auto f = [](const V& x) { return lgamma(x); };
  const std::vector<Case> cases{
      {"at 0.3", f, 0.3, {-3.502524222200133, 12.245364546107732, -75.27253658872604}},
      {"at 1e10", f, 1e10, {23.025850929890456, 1.00000000005e-10, -1.0000000001e-20}},
      {"at 1e-10", f, 1e-10, {-10000000000.577215, 1e20, -1.9999999999999998e30}},
      {"at -3.4", f, -3.4, {2.384450814118015, 10.656530053957542, 22.211592768608966}, 2e-14},
  };
  for (const Case& c : cases) CHECK(failure(c) == "");
}

TEST_CASE("conformance: derivatives are finite where the value is too large") {
  const double tower = 1.2460659279417838e+308;  // 2^1024 log 2
  const std::vector<double> derivatives{tower, 8.637070847446594e+307, 5.986761306204105e+307};
  const std::vector<Case> cases{
      {"exp2", [](const V& x) { return exp2(x); }, 1024, derivatives},
      {"pow(2, x)", [](const V& x) { return pow(2, x); }, 1024, derivatives},
  };
  for (const Case& c : cases) CHECK(failure(c) == "");
}

TEST_CASE("conformance: even derivatives of odd functions keep their digits beside 0") {
  const std::vector<Case> cases{
      {"asin", [](const V& x) { return asin(x); }, 1e-20, {1, 1e-20, 1}},
      {"acos", [](const V& x) { return acos(x); }, 1e-10, {-1, -1e-10, -1}},
      {"atanh",
       [](const V& x) { return atanh(x); },
       1e-8,
       {1.0000000000000002, 2.0000000000000004e-08, 2.0000000000000013}},
      {"tanh", [](const V& x) { return tanh(x); }, 1e-300, {1, -2e-300, -2}},
      {"sigmoid", [](const V& x) { return sigmoid(x); }, 1e-20, {0.25, -1.25e-21, -0.125}},
      {"softplus",
       [](const V& x) { return softplus(x); },
       1e-10,
       {0.500000000025, 0.25, -1.25e-11}},
      {"silu", [](const V& x) { return silu(x); }, 1e-10, {0.50000000005, 0.5, -5e-11}},
  };
  for (const Case& c : cases) CHECK(failure(c) == "");
}

TEST_CASE("conformance: derivatives right where numbers are about to leave the range") {
  // The exponent's rounding costs as many digits as it has before the point.
  const double least = 1.216780750623423e-308;  // e^-709, below the normal numbers
  const std::vector<Case> cases{
      {"exp", [](const V& x) { return exp(x); }, -709, {least, least, least}, 1e-13},
      {"silu",
       [](const V& x) { return silu(x); },
       -709,
       {-8.614807714413836e-306, -8.6026399069076e-306, -8.590472099401367e-306},
       1e-13},
      {"gelu",
       [](const V& x) { return gelu(x); },
       -37.42994775023705,
       {-8.919082198485718e-304, -3.336021534167532e-302, -1.2468860274903332e-300},
       1e-12},
      {"mish",
       [](const V& x) { return mish(x); },
       300,
       {1, -6.339748554786311e-258, 1.2658293937148589e-257},
       2e-13},
      {"atan", [](const V& x) { return atan(x); }, 1e100, {1e-200, -2e-300, 0}},
      {"lgamma", [](const V& x) { return lgamma(x); }, 1e200, {460.51701859880916, 1e-200, 0}},
      {"cbrt", [](const V& x) { return cbrt(x); }, 1e-300, {3.3333333333333334e+199, -inf, inf}},
  };
  for (const Case& c : cases) CHECK(failure(c) == "");
  Tape<double> tape;
  CHECK(log(tape.scalar(5e-324)).item() == -744.4400719213812);
}

/// The gradient of a function of two numbers.
struct Pair {
  std::string name;
  std::function<V(const V&, const V&)> f;
  Tensor<double> at;
  Tensor<double> gradient;
};

TEST_CASE("conformance: gradients of functions of two numbers by every route") {
  const auto angle = [](const V& y, const V& x) { return atan2(y, x); };
  const auto length = [](const V& x, const V& y) { return hypot(x, y); };
  const auto sum = [](const V& x, const V& y) { return logaddexp(x, y); };
  const std::vector<Pair> pairs{
      {"clamped norm at the origin",
       [](const V& x, const V& y) { return maximum(sqrt(square(x) + square(y)), 1e-10); },
       {0, 0},
       {0, 0}},
      {"atan2 at 1, 2", angle, {1, 2}, {0.4, -0.2}},
      {"atan2 at 2, 3", angle, {2, 3}, {3.0 / 13, -2.0 / 13}},
      {"atan2 at 3, 4", angle, {3, 4}, {0.16, -0.12}},
      {"atan2 at 4, 5", angle, {4, 5}, {5.0 / 41, -4.0 / 41}},
      {"atan2 of tiny numbers", angle, {3e-200, -4e-200}, {-1.6e199, -1.2e199}},
      {"atan2 of huge numbers", angle, {-3e200, 4e200}, {1.6e-201, 1.2e-201}},
      {"atan2 at the origin", angle, {0, 0}, {0, 0}},
      {"hypot of huge numbers", length, {3e200, -4e200}, {0.6, -0.8}},
      {"hypot at the origin", length, {0, 0}, {0, 0}},
      {"logaddexp of equal huge numbers", sum, {1e308, 1e308}, {0.5, 0.5}},
      {"logaddexp of -inf and a number", sum, {-inf, 3}, {0, 1}},
      {"logaddexp of -inf twice", sum, {-inf, -inf}, {0.5, 0.5}},
      {"logaddexp far apart", sum, {-40, 0}, {4.248354255291589e-18, 1}},
      {"betaln of a huge number",
       [](const V& a, const V& b) { return betaln(a, b); },
       {1e10, 2.5},
       {-2.4999999998125e-10, -22.322694289495214}},
      {"betaln beside a tiny number",
       [](const V& a, const V& b) { return betaln(a, b); },
       {200, 1e-8},
       {-5.012520833103542e-11, -100000005.87303093}},
  };
  for (const Pair& c : pairs) {
    const Function<double> f = [&](const V& v) {
      return c.f(slice(v, 0, 0, 1), slice(v, 0, 1, 2));
    };
    CHECK(c.name + wrong_route(f, c.at, 1, c.gradient, 4e-15) == c.name);
  }
}

TEST_CASE(
    "conformance: second and third derivatives of betaln keep all digits of unequal numbers") {
  const Function<double> f = [](const V& v) {
    return betaln(slice(v, 0, 0, 1), slice(v, 0, 1, 2));
  };
  const double mixed = -9.999999998e-11;
  CHECK(wrong_route(f, {1e10, 2.5}, 2, {{2.499999999625e-20, mixed}, {mixed, 0.49035775600023486}},
                    4e-15) == "");
  CHECK(wrong_route(f, {200, 1e-8}, 2,
                    {{2.5125312496136493e-13, -0.0050125208329779154},
                     {-0.0050125208329779154, 1.0000000000000001e16}},
                    4e-15) == "");
  CHECK(wrong_route(
            f, {1e10, 1e10}, 2,
            {{5.000000000375e-11, -5.000000000125e-11}, {-5.000000000125e-11, 5.000000000375e-11}},
            4e-15) == "");
  const Function<double> beside_tiny = [&](const V& a) {
    return betaln(a, V(a.tape().scalar(1e-8)));
  };
  CHECK(wrong_route(beside_tiny, Tensor<double>(200.0), 3, Tensor<double>(-2.5188124990293933e-15),
                    4e-15) == "");
}

TEST_CASE("conformance: second derivatives of hypot keep all digits of unequal sides") {
  const Function<double> f = [](const V& v) { return hypot(slice(v, 0, 0, 1), slice(v, 0, 1, 2)); };
  CHECK(wrong_route(f, {1, 1e-10}, 2, {{1e-20, -1e-10}, {-1e-10, 1}}, 4e-15) == "");
  CHECK(wrong_route(f, {1e-10, -1}, 2, {{1, 1e-10}, {1e-10, 1e-20}}, 4e-15) == "");
  CHECK(wrong_route(f, {3, 4}, 2, {{0.128, -0.096}, {-0.096, 0.072}}, 4e-15) == "");
  CHECK(wrong_route(f, {2, 0}, 2, {{0, 0}, {0, 0.5}}, 4e-15) == "");
}

TEST_CASE("conformance: exp and tanh in float reach to the ends of its range") {
  Tape<float> tape;
  const auto slope_at = [&](float number, const auto& f) {
    const Var<float> x = tape.scalar(number);
    return gradient_values<float>(f(x), std::span(&x, 1))[0].item();
  };
  // e^88.5, 4 e^-88 and, of few digits, 4 e^-96.
  CHECK(slope_at(88.5F, [](const auto& x) { return exp(x); }) == doctest::Approx(2.72309e38));
  const auto tangent = [](const auto& x) { return tanh(x); };
  CHECK(slope_at(44, tangent) == doctest::Approx(2.42184e-38).epsilon(1e-5).scale(0));
  CHECK(slope_at(-48, tangent) == doctest::Approx(8.12e-42).epsilon(1e-2).scale(0));
}

TEST_CASE("conformance: quotients with a number are rounded once") {
  Tape<double> tape;
  for (const double x : {1.0, 10.0, 49.0, 1e300, -0.3}) {
    for (const double c : {3.0, 10.0, 49.0, -0.7, 1e-310}) {
      CHECK((tape.scalar(x) / c).item() == x / c);
      CHECK((x / tape.scalar(c)).item() == x / c);
    }
  }
  CHECK(mean(tape.input(Tensor<double>::full({49}, 1))).item() == 1);
}

TEST_CASE("conformance: second derivatives stay where a rule mends a value") {
  // At b = 0, at equal terms, and at x = 0: masks that mend the value there must not take these.
  const Function<double> power = [](const V& v) {
    return pow(slice(v, 0, 0, 1), slice(v, 0, 1, 2));
  };
  const double log_2 = std::numbers::ln2;
  CHECK(wrong_route(power, {2, 0}, 2, {{0, 0.5}, {0.5, log_2 * log_2}}, 4e-15) == "");
  CHECK(wrong_route(power, {0, 2}, 2, {{2, 0}, {0, 0}}, 4e-15) == "");
  const Function<double> sum = [](const V& v) {
    return logaddexp(slice(v, 0, 0, 1), slice(v, 0, 1, 2));
  };
  CHECK(wrong_route(sum, {1.5, 1.5}, 2, {{0.25, -0.25}, {-0.25, 0.25}}, 4e-15) == "");
  const Function<double> product = [](const V& v) {
    return xlogy(slice(v, 0, 0, 1), slice(v, 0, 1, 2));
  };
  CHECK(wrong_route(product, {0, 4}, 2, {{0, 0.25}, {0.25, 0}}, 4e-15) == "");
}

TEST_CASE(
    "conformance: second derivatives of betaln keep their digits beside a huge or tiny number") {
  const Function<double> f = [](const V& v) {
    return betaln(slice(v, 0, 0, 1), slice(v, 0, 1, 2));
  };
  const Tensor<double> huge{{2.499999999625e-20, -9.999999998e-11},
                            {-9.999999998e-11, 0.49035775600023485}};
  CHECK(wrong_route(f, {1e10, 2.5}, 2, huge, 1e-13) == "");
  const Tensor<double> tiny{{2.5125312496136495e-13, -0.005012520832977915},
                            {-0.005012520832977915, 1.0000000000000002e+16}};
  CHECK(wrong_route(f, {200, 1e-8}, 2, tiny, 1e-13) == "");
}

}  // namespace
}  // namespace fjord::test
