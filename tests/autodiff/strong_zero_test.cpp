// A masked zero of a cotangent or tangent stays zero whatever it is multiplied with, in every mode
// and order; a computed one times a slope that is not finite is NaN.
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "fjord/autodiff/operation.hpp"
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
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/autodiff/sweep.hpp"

namespace fjord {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

using Values = std::vector<double>;

Values list(const TensorView<double>& view) {
  return Tensor<double>(view).to_vector();
}

bool all_are(const TensorView<double>& view, double expected) {
  for (const double number : list(view)) {
    if (number != expected && !(std::isnan(number) && std::isnan(expected))) return false;
  }
  return true;
}

Var<double> positive_part(const Var<double>& x, const Var<double>& otherwise) {
  return where(x > 0, x, otherwise);
}

/// A function whose derivatives of every order are zero at a point where the side that is not
/// chosen has derivatives that are infinite or NaN.
struct Case {
  std::string name;
  std::function<Var<double>(const Var<double>& x)> f;
  Tensor<double> at;
  double value;
};

Var<double> zero(const Var<double>& x) {
  return x.tape().scalar(0);
}

std::vector<Case> cases() {
  return {
      {"root at 0", [](const auto& x) { return where(x > 0, sqrt(x), zero(x)); }, {0}, 0},
      {"root below 0", [](const auto& x) { return where(x > 0, sqrt(x), zero(x)); }, {-1}, 0},
      {"logarithm at 0", [](const auto& x) { return where(x > 0, log(x) * x, zero(x)); }, {0}, 0},
      {"reciprocal at 0", [](const auto& x) { return where(x > 0, 1 / x, zero(x)); }, {0}, 0},
      {"quotient of zeros",
       [](const auto& x) { return where(x > 0, sqrt(x) / x, zero(x)); },
       {0},
       0},
      {"exponential that overflows",
       [](const auto& x) { return where(-x > 0, exp(x), zero(x)); },
       {1000},
       0},
      {"clamped norm at the origin",
       [](const auto& x) {
         const Var<double> norm = sqrt(sum(square(x)));
         return positive_part(norm - 1e-10, x.tape().scalar(0)) + 1e-10;
       },
       {0, 0},
       1e-10},
      {"root of a root",
       [](const auto& x) { return where(x > 0, sqrt(sqrt(x)), zero(x)); },
       {0},
       0},
  };
}

std::vector<Case> cases_of_special_functions() {
  return {
      {"power at 0", [](const auto& x) { return where(x > 0, pow(x, 0.5), zero(x)); }, {0}, 0},
      {"power of itself at 0",
       [](const auto& x) { return where(x > 0, pow(x, x), zero(x)); },
       {0},
       0},
      {"cube root at 0", [](const auto& x) { return where(x > 0, cbrt(x), zero(x)); }, {0}, 0},
      {"arc sine at its end", [](const auto& x) { return where(x < 1, asin(x), zero(x)); }, {1}, 0},
      {"area cosine at its end",
       [](const auto& x) { return where(x > 1, acosh(x), zero(x)); },
       {1},
       0},
      {"x log x at 0", [](const auto& x) { return where(x > 0, xlogy(x, x), zero(x)); }, {0}, 0},
      {"log(1 - e^-x) at 0",
       [](const auto& x) { return where(x > 0, log1mexp(x), zero(x)); },
       {0},
       0},
      {"inverse error function at its end",
       [](const auto& x) { return where(x < 1, erfinv(x), zero(x)); },
       {1},
       0},
      {"gamma at its pole", [](const auto& x) { return where(x > 0, lgamma(x), zero(x)); }, {0}, 0},
      {"beta at its pole",
       [](const auto& x) { return where(x > 0, betaln(x, x), zero(x)); },
       {0},
       0},
      {"normal tail at infinity",
       [](const auto& x) { return where(x > 0, log_normal_cdf(x), zero(x)); },
       {-infinity},
       0},
  };
}

TEST_CASE("strong zero: nothing comes from the side that is not chosen, in any order and nesting") {
  std::vector<Case> all = cases();
  for (const Case& c : cases_of_special_functions()) all.push_back(c);
  for (const Case& c : all) {
    CAPTURE(c.name);
    Tape<double> tape;
    const Var<double> x = tape.input(c.at);
    const Var<double> one = tape.scalar(1);
    const Var<double> v = tape.input(Tensor<double>::ones(c.at.shape()));
    const Var<double> y = sum(c.f(x));
    CHECK(y.item() == c.value);
    CHECK(all_are(gradient_values<double>(y, std::span(&x, 1))[0], 0));
    const Var<double> reverse = pullback<double>({y}, {one}, {x})[0];
    const Var<double> forward = pushforward(x, v, y);
    CHECK(all_are(reverse.value(), 0));
    CHECK(all_are(forward.value(), 0));
    for (const Var<double>& slope : {sum(reverse), forward}) {
      CHECK(all_are(gradient_values<double>(slope, std::span(&x, 1))[0], 0));
      const Var<double> reverse_again = pullback<double>({slope}, {one}, {x})[0];
      const Var<double> forward_again = pushforward(x, v, slope);
      CHECK(all_are(reverse_again.value(), 0));
      CHECK(all_are(forward_again.value(), 0));
      CHECK(all_are(pushforward(x, v, sum(reverse_again)).value(), 0));
      CHECK(all_are(pullback<double>({forward_again}, {one}, {x})[0].value(), 0));
    }
    const Var<double> stack = tape.input(Tensor<double>::ones(stacked_shape(c.at.shape(), 2)));
    CHECK(all_are(pushforward(x, stack, y).value(), 0));
    CHECK(all_are(pushforward(x, stack, reverse).value(), 0));
    CHECK(all_are(pushforward(x, stack, forward).value(), 0));
  }
}

// Slopes that are infinite or NaN at the point; each is met by a derivative that is exactly zero.
std::vector<Case> singular() {
  return {
      {"root", [](const auto& x) { return sqrt(x); }, {0}, infinity},
      {"root below 0", [](const auto& x) { return sqrt(x); }, {-1}, nan},
      {"logarithm", [](const auto& x) { return log(x); }, {0}, infinity},
      {"reciprocal", [](const auto& x) { return reciprocal(x); }, {0}, infinity},
      {"quotient", [](const auto& x) { return x / (x - x); }, {1}, nan},
      {"product with infinity", [](const auto& x) { return x * infinity; }, {1}, infinity},
      {"exponential", [](const auto& x) { return exp(x); }, {1000}, infinity},
      {"power", [](const auto& x) { return pow(x, 0.5); }, {0}, infinity},
      {"inverse root", [](const auto& x) { return rsqrt(x); }, {0}, infinity},
      {"cube root", [](const auto& x) { return cbrt(x); }, {0}, infinity},
      {"logarithm of 1 + x", [](const auto& x) { return log1p(x); }, {-1}, infinity},
      {"arc cosine", [](const auto& x) { return acos(x); }, {1}, infinity},
      {"area cosine", [](const auto& x) { return acosh(x); }, {1}, infinity},
      {"area tangent", [](const auto& x) { return atanh(x); }, {1}, infinity},
      {"inverse error function", [](const auto& x) { return erfinv(x); }, {1}, infinity},
      {"logarithm of gamma", [](const auto& x) { return lgamma(x); }, {0}, infinity},
      {"digamma", [](const auto& x) { return digamma(x); }, {-1}, infinity},
      {"logistic of NaN", [](const auto& x) { return sigmoid(x); }, {nan}, nan},
      {"tanh of NaN", [](const auto& x) { return tanh(x); }, {nan}, nan},
  };
}

TEST_CASE("strong zero: a zero cotangent or tangent passes singular slopes as zero") {
  for (const Case& c : singular()) {
    CAPTURE(c.name);
    Tape<double> tape;
    const Var<double> x = tape.input(c.at);
    const Var<double> y = c.f(x);
    const Var<double> zero = tape.input({0});
    const Var<double> one = tape.input({1});
    const TensorView<double> seed = zero.value();
    CHECK(all_are(
        pullback_values<double>(std::span(&y, 1), std::span(&seed, 1), std::span(&x, 1))[0], 0));
    const Var<double> reverse = pullback<double>({y}, {zero}, {x})[0];
    const Var<double> forward = pushforward(x, zero, y);
    CHECK(all_are(reverse.value(), 0));
    CHECK(all_are(forward.value(), 0));
    // The singularity itself is not hidden.
    CHECK_FALSE(std::isfinite(pullback<double>({y}, {one}, {x})[0].item()));
    CHECK_FALSE(std::isfinite(pushforward(x, one, y).item()));
    // The zero cotangent is a constant, so the derivative of its product in x is zero as well.
    CHECK(all_are(pushforward(x, one, reverse).value(), 0));
    CHECK(all_are(pushforward(x, tape.input({{1, 2, 0}}), reverse).value(), 0));
    CHECK(all_are(pullback<double>({reverse}, {one}, {x})[0].value(), 0));
    CHECK(all_are(pullback<double>({forward}, {one}, {x})[0].value(), 0));
    CHECK(all_are(pushforward(x, one, forward).value(), 0));
  }
}

TEST_CASE("strong zero: the product of rules keeps the zeros of both derivatives that meet in it") {
  // h = g d: in d, the derivative is g; a masked zero of g and one of the tangent or cotangent, as
  // users give it, are both derivatives, and stay.
  struct Meeting {
    double g;
    double tangent_of_d;
    double product;
  };

  for (const Meeting& m : std::vector<Meeting>{{-0.0, infinity, 0},
                                               {-0.0, nan, 0},
                                               {0, infinity, nan},
                                               {infinity, 0, 0},
                                               {nan, 0, 0},
                                               {2, 3, 6},
                                               {2, infinity, infinity}}) {
    CAPTURE(m.g);
    CAPTURE(m.tangent_of_d);
    Tape<double> tape;
    const Var<double> g = tape.input(Tensor<double>::full({2, 3}, m.g));
    const Var<double> d = tape.input(Tensor<double>::full({2, 3}, 5));
    const Var<double> h = scale(g, d);
    const Var<double> t = tape.input(Tensor<double>::full({2, 3}, m.tangent_of_d));
    const TensorView<double> seed = t.value();
    CHECK(all_are(pushforward(d, t, h).value(), m.product));
    const Var<double> stack = tape.input(Tensor<double>::full({2, 4, 3}, m.tangent_of_d));
    CHECK(all_are(pushforward(d, stack, h).value(), m.product));
    CHECK(all_are(pullback<double>({h}, {t}, {d})[0].value(), m.product));
    CHECK(
        all_are(pullback_values<double>(std::span(&h, 1), std::span(&seed, 1), std::span(&d, 1))[0],
                m.product));
    // Once more over the derivative: it is linear in the tangent, with g as its factor.
    const Var<double> along = pushforward(d, t, h);
    CHECK(all_are(pushforward(t, t, along).value(), m.product));
    CHECK(all_are(pullback<double>({along}, {t}, {t})[0].value(), m.product));
  }
}

TEST_CASE("strong zero: selection copies, so what is chosen comes through whatever it is") {
  Tape<double> tape;
  const Var<double> mask = tape.input({1, 0, -3, nan});
  const Var<double> a = tape.input({infinity, nan, nan, 1});
  const Var<double> b = tape.input({nan, 2, infinity, nan});
  const Var<double> y = where(mask, a, b);
  const Values chosen = list(y.value());
  CHECK(chosen[0] == infinity);
  CHECK(chosen[1] == 2);
  CHECK(std::isnan(chosen[2]));
  CHECK(chosen[3] == 1);
  const Var<double> g = tape.input({infinity, 3, nan, 4});
  const Vars<double> back = pullback<double>({y}, {g}, {a, b, mask});
  const Values in_a = list(back[0].value());
  CHECK(in_a[0] == infinity);
  CHECK(in_a[1] == 0);
  CHECK(std::isnan(in_a[2]));
  CHECK(list(back[1].value()) == Values{0, 3, 0, 0});
  CHECK(all_are(back[2].value(), 0));
}

TEST_CASE(
    "strong zero: what chooses copies, so an infinite derivative does not reach what it left") {
  const std::vector<std::function<Var<double>(const Var<double>&)>> left{
      [](const auto& x) { return relu(x); },
      [](const auto& x) { return maximum(x, 0); },
      [](const auto& x) { return minimum(x, -2); },
      [](const auto& x) { return clamp(x, 0, 1); },
      [](const auto& x) { return where(x > 0, x, x.tape().scalar(1)); },
  };
  for (std::size_t i = 0; i < left.size(); ++i) {
    CAPTURE(i);
    for (const double huge : {infinity, nan}) {
      Tape<double> tape;
      const Var<double> x = tape.input({-1});
      const Var<double> y = left[i](x);
      const Var<double> g = tape.input({huge});
      const TensorView<double> seed = g.value();
      CHECK(all_are(
          pullback_values<double>(std::span(&y, 1), std::span(&seed, 1), std::span(&x, 1))[0], 0));
      CHECK(all_are(pullback<double>({y}, {g}, {x})[0].value(), 0));
      CHECK(all_are(pushforward(x, g, y).value(), 0));
      CHECK(all_are(pushforward(x, tape.input({{huge, huge}}), y).value(), 0));
    }
  }
}

void check_nan_shows(const Vars<double>& results) {
  for (std::size_t i = 0; i < results.size(); ++i) {
    CAPTURE(i);
    CHECK(std::isnan(list(results[i].value())[1]));
    CHECK_FALSE(std::isnan(list(results[i].value())[0]));
    CHECK(std::isnan(sum(results[i]).item()));
  }
}

TEST_CASE("strong zero: a NaN in a value always shows") {
  Tape<double> tape;
  const Var<double> x = tape.input({1, nan, -1});
  const Var<double> zero = tape.scalar(0);
  check_nan_shows({x + 1, x * 0, x * zero, x - x, zero / x, square(x), sqrt(x * x)});
  check_nan_shows({where(zero, zero, x), maximum(x, 0), maximum(zero, x), minimum(x, 0)});
  check_nan_shows({minimum(zero, x), clamp(x, -2, 2), abs(x), sign(x), floor(x), ceil(x)});
  check_nan_shows({round(x), fmod(x, 2), pow(x, 2), pow(2, x), rsqrt(x), cbrt(x)});
  check_nan_shows({reshape(x, {3, 1}), x + zero, broadcast_to(x, {3})});
}

TEST_CASE("strong zero: a NaN in a value shows through every function and activation") {
  Tape<double> tape;
  const Var<double> x = tape.input({1, nan, -1});
  const Var<double> zero = tape.scalar(0);
  check_nan_shows({exp(x), exp2(x), expm1(x), log(x), log2(x), log10(x), log1p(x), log1mexp(x)});
  check_nan_shows({logaddexp(x, zero), xlogy(zero, x), xlog1py(x, zero), sinh(x), cosh(x)});
  check_nan_shows({asinh(x), acosh(x), atanh(x), sin(x), cos(x), tan(x), asin(x), acos(x)});
  check_nan_shows({atan(x), atan2(x, zero), hypot(x, zero), sinc(x), erf(x), erfc(x), erfinv(x)});
  check_nan_shows({normal_cdf(x), log_normal_cdf(x), lgamma(x), digamma(x), polygamma(3, x)});
  check_nan_shows({betaln(x, x), tanh(x), sigmoid(x), log_sigmoid(x), softplus(x), relu(x)});
  check_nan_shows({leaky_relu(x), elu(x), celu(x), selu(x), silu(x), mish(x), softsign(x)});
  check_nan_shows({gelu(x)});
}

}  // namespace
}  // namespace fjord
