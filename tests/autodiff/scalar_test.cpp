#include "fjord/autodiff/scalar.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <numbers>
#include <sstream>
#include <stdexcept>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/join.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"

// Scalar code as others write it, which has never heard of tapes.
namespace numeric {
namespace {

using std::abs;
using std::exp;
using std::log;
using std::sin;
using std::sqrt;

template <class Real>
Real root(const Real& a) {
  Real x = a > 1 ? a : Real(1);
  for (int i = 0; i < 100; ++i) {
    const Real next = 0.5 * (x + a / x);
    if (!(abs(next - x) > 4 * std::numeric_limits<Real>::epsilon() * next)) return next;
    x = next;
  }
  return x;
}

template <class Real, class F>
Real simpson(F f, Real a, Real b, int panels) {
  const Real h = (b - a) / panels;
  Real total = 0;
  for (int i = 0; i < panels; ++i) {
    const Real left = a + i * h;
    total += f(left) + 4 * f(left + h / 2) + f(left + h);
  }
  return total * h / 6;
}

template <class Real>
Real bessel_j0(Real x) {
  Real term = 1, total = 1;
  for (int k = 1; k < 40; ++k) total += (term *= -(x * x) / (4.0 * k * k));
  return total;
}

template <class Real>
Real normal_cdf(const Real& x) {
  using std::erfc;
  return 0.5 * erfc(-x / std::numbers::sqrt2);
}

template <class Real>
Real call_price(const Real& spot, double strike, const Real& rate, const Real& sigma, Real time) {
  using std::max;
  if (time <= 0) return max(spot - strike, Real(0));
  const Real d1 = (log(spot / strike) + (rate + sigma * sigma / 2) * time) / (sigma * sqrt(time));
  const Real d2 = d1 - sigma * sqrt(time);
  return spot * normal_cdf(d1) - strike * exp(-rate * time) * normal_cdf(d2);
}

// A cell of an LSTM with one unit, run over a sequence: weights for each of four gates.
template <class Real>
Real lstm(const std::vector<Real>& w, int steps) {
  using std::tanh;
  const auto sigmoid = [](const Real& x) { return 1 / (1 + exp(-x)); };
  Real h = 0, c = 0;
  for (int t = 0; t < steps; ++t) {
    const double in = t % 3 - 0.7;
    const auto gate = [&](std::size_t k) {
      return w[3 * k] * in + w[3 * k + 1] * h + w[3 * k + 2];
    };
    c = sigmoid(gate(0)) * c + sigmoid(gate(1)) * tanh(gate(2));
    h = sigmoid(gate(3)) * tanh(c);
  }
  return h;
}

// The angle of a pendulum after some steps of the classic Runge-Kutta method.
template <class Real>
Real pendulum(const std::vector<Real>& p, int steps) {
  using State = std::array<Real, 2>;
  const auto slope = [&](const State& s) { return State{s[1], -p[0] * sin(s[0]) - p[1] * s[1]}; };
  const auto along = [](const State& s, double h, const State& d) {
    return State{s[0] + h * d[0], s[1] + h * d[1]};
  };
  State s{p[2], Real(0)};
  const double h = 0.02;
  for (int i = 0; i < steps; ++i) {
    const State a = slope(s), b = slope(along(s, h / 2, a)), c = slope(along(s, h / 2, b));
    const State d = slope(along(s, h, c));
    for (std::size_t k = 0; k < 2; ++k) s[k] += h / 6 * (a[k] + 2 * b[k] + 2 * c[k] + d[k]);
  }
  return s[0];
}

}  // namespace
}  // namespace numeric

namespace fjord {
namespace {

using Number = Scalar<double>;
using Numbers = std::vector<Number>;
using doctest::Approx;

static_assert(Structure<Number> && Structure<Numbers> && Structure<std::pair<Number, Var<double>>>);
static_assert(std::is_convertible_v<double, Number> && std::is_convertible_v<int, Number>);
static_assert(!std::is_convertible_v<Number, double> && !std::is_convertible_v<Number, bool>);
static_assert(!std::is_convertible_v<Var<double>, Number>);
static_assert(std::is_constructible_v<double, Number> && std::is_constructible_v<int, Number>);
static_assert(std::is_same_v<decltype(0.5f * Number()), Number>);
static_assert(std::is_same_v<std::common_type_t<Number, double>, Number>);
static_assert(std::numeric_limits<Number>::is_specialized);
static_assert(std::is_same_v<decltype(std::numeric_limits<Number>::max()), Number>);
static_assert(std::numeric_limits<Scalar<float>>::digits == std::numeric_limits<float>::digits);

Approx near(double value, double tolerance = 1e-13) {
  return Approx(value).epsilon(tolerance).scale(1);
}

Number on(Tape<double>& tape, double number) {
  return Number(tape.scalar(number));
}

Numbers on(Tape<double>& tape, const std::vector<double>& numbers) {
  Numbers result;
  for (const double number : numbers) result.push_back(on(tape, number));
  return result;
}

TEST_CASE("scalar: an iteration that ends by its values has the derivatives of its limit") {
  Tape<double> tape;
  const Number a = on(tape, 3.0);
  CHECK(numeric::root(3.0) == near(std::sqrt(3.0)));
  CHECK(numeric::root(a).value() == numeric::root(3.0));
  CHECK(derivative(numeric::root<Number>, a).value() == near(0.5 / std::sqrt(3.0)));
  CHECK(derivative(numeric::root<Number>, a, 2).value() == near(-0.25 / (3 * std::sqrt(3.0))));
}

TEST_CASE("scalar: an integral in its parameter and its ends") {
  Tape<double> tape;
  const auto integral = [](const Numbers& p) {
    return numeric::simpson([&](const Number& x) { return exp(p[2] * x); }, p[0], p[1], 400);
  };
  const Numbers slopes = gradient(integral, on(tape, {0.0, 1.0, 2.0}));
  CHECK(slopes[0].value() == near(-1, 1e-9));
  CHECK(slopes[1].value() == near(std::exp(2.0), 1e-9));
  CHECK(slopes[2].value() == near((std::exp(2.0) + 1) / 4, 1e-9));
}

TEST_CASE("scalar: a series gives the derivatives of the function") {
  Tape<double> tape;
  const double x = 2.5;
  const double j0 = std::cyl_bessel_j(0.0, x), j1 = std::cyl_bessel_j(1.0, x);
  const auto f = numeric::bessel_j0<Number>;
  CHECK(numeric::bessel_j0(x) == near(j0));
  CHECK(derivative(f, on(tape, x), 1).value() == near(-j1));
  CHECK(derivative(f, on(tape, x), 2).value() == near(j1 / x - j0));
}

TEST_CASE("scalar: the published price of an option and its sensitivities") {
  Tape<double> tape;
  const auto price = [](const Numbers& p) {
    return numeric::call_price(p[0], 100, p[1], p[2], p[3]);
  };
  const Numbers at = on(tape, {100.0, 0.05, 0.2, 1.0});
  const auto [value, slopes] = value_and_gradient(price, at);
  CHECK(value.value() == near(10.450583572185565));
  CHECK(slopes[0].value() == near(0.6368306511756191));  // delta
  CHECK(slopes[1].value() == near(53.232481545376345));  // rho
  CHECK(slopes[2].value() == near(37.52403469169379));   // vega
  CHECK(slopes[3].value() == near(6.414027546438197));   // theta, by time left
  const Numbers along = hvp(price, at, Numbers{1, 0, 0, 0});
  CHECK(along[0].value() == near(0.018762017345846895));  // gamma
  CHECK(price(on(tape, {120.0, 0.05, 0.2, 0.0})).value() == 20);
}

// Every route to a derivative of a templated function, against differences of it in double.
void check_routes(const std::function<Number(const Numbers&)>& f,
                  const std::function<double(const std::vector<double>&)>& numbers,
                  const std::vector<double>& at) {
  Tape<double> tape;
  const Numbers x = on(tape, at);
  const Number y = f(x);
  CHECK(y.value() == near(numbers(at)));
  const std::vector<double> swept = gradient_values(y, x);
  const Numbers recorded = gradient(f, x);
  Numbers ones(at.size(), 1.0);
  const Number along = jvp(f, x, ones);
  const Numbers product = hvp(f, x, ones);
  const auto slope_along = [&](const Numbers& p) { return jvp(f, p, ones); };
  const Numbers forward_inside = gradient(slope_along, x);
  const Number twice = jvp(slope_along, x, ones);
  double total = 0, curvature = 0;
  for (std::size_t i = 0; i < at.size(); ++i) {
    auto up = at, down = at;
    up[i] += 1e-4;
    down[i] -= 1e-4;
    CHECK(swept[i] == near((numbers(up) - numbers(down)) / 2e-4, 1e-7));
    CHECK(recorded[i].value() == near(swept[i]));
    CHECK(forward_inside[i].value() == near(product[i].value()));
    total += swept[i];
    curvature += product[i].value();
  }
  CHECK(along.value() == near(total));
  CHECK(twice.value() == near(curvature));
}

TEST_CASE("scalar: chains of cells and of steps, by every route") {
  check_routes([](const Numbers& w) { return numeric::lstm(w, 20); },
               [](const std::vector<double>& w) { return numeric::lstm(w, 20); },
               {0.4, -0.3, 0.1, 0.7, 0.2, -0.5, 1.1, -0.6, 0.3, 0.2, 0.9, -0.1});
  check_routes([](const Numbers& p) { return numeric::pendulum(p, 50); },
               [](const std::vector<double>& p) { return numeric::pendulum(p, 50); },
               {9.81, 0.3, 1.2});
}

// The same recording by hand.
TEST_CASE("scalar: derivatives are those of Vars") {
  Tape<double> tape;
  const Var<double> x = tape.scalar(0.7);
  const auto of_vars = [](const Var<double>& v) { return sin(v) * exp(v) / (2.0 + v * v) - v; };
  const auto of_scalars = [](const Number& v) { return sin(v) * exp(v) / (2 + v * v) - v; };
  for (int order = 0; order < 5; ++order)
    CHECK(derivative(of_scalars, Number(x), order).value() == derivative(of_vars, x, order).item());
  const Number y = of_scalars(Number(x));
  CHECK(gradient_values(y, {Number(x)})[0] == gradient_values(of_vars(x), {x})[0].item());
}

struct Named {
  const char* name;
  std::function<double(double)> number;
  std::function<Number(const Number&)> scalar;
  std::function<Var<double>(const Var<double>&)> var;
  double at;
};

#define FJORD_NAMED(f, at)                                                                       \
  Named {                                                                                        \
#f, [](double x) { return std::f(x); }, [](const Number&                                     \
                                                   x) { return f(x); },                          \
                                                                     [](const Var <double>&      \
                                                                            x) { return f(x); }, \
                                                                                              at \
  }
const std::vector<Named> functions{
    FJORD_NAMED(abs, -0.3),   FJORD_NAMED(sqrt, 0.3),   FJORD_NAMED(cbrt, 0.3),
    FJORD_NAMED(exp, 0.3),    FJORD_NAMED(exp2, 0.3),   FJORD_NAMED(expm1, 0.3),
    FJORD_NAMED(log, 0.3),    FJORD_NAMED(log2, 0.3),   FJORD_NAMED(log10, 0.3),
    FJORD_NAMED(log1p, 0.3),  FJORD_NAMED(sin, 0.3),    FJORD_NAMED(cos, 0.3),
    FJORD_NAMED(tan, 0.3),    FJORD_NAMED(asin, 0.3),   FJORD_NAMED(acos, 0.3),
    FJORD_NAMED(atan, 0.3),   FJORD_NAMED(sinh, 0.3),   FJORD_NAMED(cosh, 0.3),
    FJORD_NAMED(tanh, 0.3),   FJORD_NAMED(asinh, 0.3),  FJORD_NAMED(acosh, 1.3),
    FJORD_NAMED(atanh, 0.3),  FJORD_NAMED(erf, 0.3),    FJORD_NAMED(erfc, 0.3),
    FJORD_NAMED(lgamma, 0.3), FJORD_NAMED(floor, -0.3), FJORD_NAMED(ceil, -0.3),
    FJORD_NAMED(round, 0.7),
};
#undef FJORD_NAMED

TEST_CASE("scalar: every function is that of numbers, and has the derivative of that of Vars") {
  Tape<double> tape;
  for (const Named& f : functions) {
    CAPTURE(f.name);
    CHECK(f.scalar(Number(f.at)).value() == f.number(f.at));
    CHECK(!f.scalar(Number(f.at)).is_recorded());
    const Number x = on(tape, f.at);
    CHECK(f.scalar(x).value() == near(f.number(f.at), 4e-16));
    const double slope = derivative(f.var, x.var()).item();
    CHECK(gradient_values(f.scalar(x), {x})[0] == slope);
    CHECK(derivative(f.scalar, x).value() == slope);
  }
}

TEST_CASE("scalar: functions of two numbers, either of which may be on no tape") {
  Tape<double> tape;
  const auto check = [&](auto f, double a, double b) {
    const Number x = on(tape, a), y = on(tape, b);
    const double value = f(Number(a), Number(b)).value();
    std::vector<double> both = gradient_values(f(x, y), {x, y});
    CHECK(f(x, y).value() == near(value));
    CHECK(f(x, Number(b)).value() == near(value));
    CHECK(f(Number(a), y).value() == near(value));
    CHECK(gradient_values(f(x, Number(b)), {x})[0] == near(both[0]));
    CHECK(gradient_values(f(Number(a), y), {y})[0] == near(both[1]));
    return both;
  };
  const auto by = [](double slope_a, double slope_b) { return std::vector{slope_a, slope_b}; };
  CHECK(check([](auto a, auto b) { return a + b; }, 3, 4) == by(1, 1));
  CHECK(check([](auto a, auto b) { return a - b; }, 3, 4) == by(1, -1));
  CHECK(check([](auto a, auto b) { return a * b; }, 3, 4) == by(4, 3));
  CHECK(check([](auto a, auto b) { return a / b; }, 3, 4) == by(0.25, -3.0 / 16));
  CHECK(check([](auto a, auto b) { return hypot(a, b); }, 3, 4)[0] == near(0.6));
  CHECK(check([](auto a, auto b) { return atan2(a, b); }, 3, 4)[1] == near(-3.0 / 25));
  CHECK(check([](auto a, auto b) { return pow(a, b); }, 3, 4)[0] == near(108));
  CHECK(check([](auto a, auto b) { return pow(a, b); }, 3, 2)[1] == near(9 * std::log(3.0)));
  CHECK(check([](auto a, auto b) { return fmod(a, b); }, 9, 4)[1] == -2);
  CHECK(check([](auto a, auto b) { return fma(a, b, a); }, 3, 4) == by(5, 3));
  CHECK(check([](auto a, auto b) { return fdim(a, b); }, 4, 3) == by(1, -1));
  CHECK(check([](auto a, auto b) { return fmax(a, b); }, 3, 4) == by(0, 1));
  CHECK(check([](auto a, auto b) { return fmin(a, b); }, 3, 4) == by(1, 0));
  CHECK(check([](auto a, auto b) { return copysign(a, b); }, 3, -4) == by(-1, 0));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(fmax(Number(nan), Number(2)) == 2);
  CHECK(fmin(Number(2), Number(nan)) == 2);
}

TEST_CASE("scalar: arithmetic with numbers of every kind, and in place") {
  Tape<double> tape;
  const Number x = on(tape, 3.0);
  Number y = 2 * x + x * 0.5f - 1u + 4L / x;
  CHECK(y.value() == near(7.5 - 1 + 4.0 / 3));
  CHECK(gradient_values(y, {x})[0] == near(2.5 - 4.0 / 9));
  y += 1;
  y -= x;
  y *= x;
  y /= 2;
  CHECK(y.value() == near((7.5 + 4.0 / 3 - 3) * 1.5));
  CHECK((-x + +x).value() == 0);
  CHECK(ldexp(x, 3) == 24);
  CHECK(static_cast<int>(x + 0.75) == 3);
  CHECK(double(x) == 3);
}

TEST_CASE("scalar: comparisons and tests are those of the value") {
  Tape<double> tape;
  const Number x = on(tape, 3.0), y = on(tape, 4.0);
  CHECK((x < y && x <= 3 && 3 == x && x != y && 5 > y && y >= x));
  CHECK_FALSE((x > y || x == 4 || !(x == x)));
  CHECK(&std::max(x, y) == &y);
  CHECK(&std::min(x, y) == &x);
  const Number bad = on(tape, std::numeric_limits<double>::quiet_NaN());
  CHECK((isnan(bad) && !isfinite(bad) && isinf(1 / Number(0)) && isfinite(x) && signbit(-x)));
  CHECK_FALSE((bad < x || bad > x || bad == bad));
  CHECK(static_cast<bool>(x));
  Numbers list{y, x, 1};
  std::sort(list.begin(), list.end());
  CHECK(gradient_values(list[1], {x, y}) == std::vector{1.0, 0.0});
  std::ostringstream text;
  text << x << " " << Number(0.5);
  CHECK(text.str() == "3 0.5");
}

TEST_CASE("scalar: numbers on no tape, and steps without effect, record nothing") {
  Tape<double> tape;
  const Number x = on(tape, 3.0);
  const std::size_t before = tape.size();
  CHECK(!(exp(Number(2)) * 3 + pow(Number(2), 3) - atan2(Number(1), 2)).is_recorded());
  CHECK(!(floor(x) + round(x) + trunc(x) + rint(x) + nearbyint(x) + ceil(x)).is_recorded());
  Number sum = 0, product = 1;
  sum += x;
  product *= x;
  CHECK(((x - 0) == 3 && x / 1 == 3 && 0 + x == 3));
  CHECK(tape.size() == before);
  CHECK(gradient_values(sum + product, {x})[0] == 2);
  CHECK(std::signbit((on(tape, -0.0) + 0).value()) == false);  // as numbers do
  CHECK((x * 2).var().tape().size() == before + 4);
}

TEST_CASE("scalar: misuse is said") {
  Tape<double> tape, other;
  const Number x = on(tape, 3.0), y = on(other, 4.0);
  CHECK_THROWS_WITH_AS(x * y, doctest::Contains("another tape"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(hypot(x, y), doctest::Contains("another tape"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(Number(1).var(), doctest::Contains("[scalar] the number is on no tape"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(Number(tape.input({1.0, 2.0})), doctest::Contains("got shape [2]"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(gradient(numeric::root<Number>, Number(2)),
                       doctest::Contains("at least one variable on a tape is needed"),
                       std::invalid_argument);
  CHECK_THROWS_AS(to_var(Numbers{1, 2}), std::invalid_argument);
  CHECK_THROWS_AS(Number(Var<double>()), std::invalid_argument);
  const Number doubled = [&] {
    const RewindScope scope(tape);
    return x * 2;
  }();
  CHECK_THROWS_WITH_AS(doubled + x, doctest::Contains("ended by a rewind"), std::invalid_argument);
  CHECK(doubled == 6);
}

TEST_CASE("scalar: arguments, tangents and results may be in part on no tape") {
  Tape<double> tape;
  const Number x = on(tape, 3.0);
  const auto product = [](const std::pair<Number, Number>& p) { return p.first * p.second; };
  const auto slopes = gradient(product, std::pair<Number, Number>(x, 5));
  CHECK(slopes.first == 5);
  CHECK(slopes.second == 3);
  CHECK(jvp(product, std::pair<Number, Number>(x, 5), {1, 2}) == 11);
  const auto constant = [](const Number&) { return Number(7); };
  CHECK(gradient(constant, x) == 0);
  CHECK(value_and_gradient(constant, x).value == 7);
  CHECK(derivative(constant, x) == 0);
  CHECK(gradient_values(Number(7), {x})[0] == 0);
  CHECK(vjp(constant, x, Number(1)) == 0);
}

TEST_CASE("scalar: functions inside functions keep their variables apart") {
  Tape<double> tape;
  const Number x = on(tape, 3.0);
  const auto outer = [](const Number& a) {
    return a * gradient([&](const Number& b) { return a + b; }, a);
  };
  CHECK(gradient(outer, x) == 1);
  CHECK(derivative(outer, x) == 1);
  CHECK(
      derivative(
          [](const Number& a) { return derivative([&](const Number& b) { return a * b * b; }, a); },
          x) == 12);
}

TEST_CASE("scalar: to and from nodes") {
  Tape<double> tape;
  const Var<double> x = tape.input({{1, 2, 3}, {4, 5, 6}});
  const Numbers entries = to_scalars(x);
  REQUIRE(entries.size() == 6);
  for (int i = 0; i < 6; ++i) CHECK(entries[static_cast<std::size_t>(i)] == i + 1);
  CHECK(to_scalars(tape.input(Tensor<double>::zeros({0}))).empty());
  CHECK(Number(tape.input({{8.0}})).var().shape() == Shape{});
  CHECK(Number(2).var(tape).item() == 2);

  const auto f = [](const Var<double>& at) {
    Numbers list = to_scalars(at);
    list.push_back(10);
    const Var<double> back = to_var(list);
    return sum(back * back * back);
  };
  CHECK(f(x).item() == 1441);
  const Var<double> g = gradient(f, x);
  const Var<double> h = jvp([&](const Var<double>& at) { return gradient(f, at); }, x, x);
  for (Index i = 0; i < 2; ++i) {
    for (Index j = 0; j < 3; ++j) {
      const double entry = x.value()(i, j);
      CHECK(g.value()(i, j) == 3 * entry * entry);
      CHECK(h.value()(i, j) == 6 * entry * entry);
    }
  }
}

TEST_CASE_TEMPLATE("scalar: both precisions", T, float, double) {
  Tape<T> tape;
  const Scalar<T> x(tape.scalar(2));
  const Scalar<T> y = 3 * x * x - 0.5 / x;
  CHECK(y.value() == T(11.75));
  CHECK(gradient_values(y, {x})[0] == T(12.125));
  CHECK(derivative([](const Scalar<T>& at) { return at * at * at; }, x, 3) == 6);
}

}  // namespace
}  // namespace fjord
