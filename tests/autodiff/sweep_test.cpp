#include "fjord/autodiff/sweep.hpp"

#include <array>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <thread>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/tests/support/probe.hpp"

namespace fjord {
namespace {

using test::Probe;
using test::ProbeState;
using Values = std::vector<double>;
using Lists = std::vector<Values>;

Values list(const TensorView<double>& view) {
  return Tensor<double>(view).to_vector();
}

Lists lists(const Vars<double>& vars) {
  Lists result;
  for (const Var<double>& var : vars) result.push_back(list(var.value()));
  return result;
}

// The two modes of the reverse sweep, as numbers.
Lists reverse_values(const Vars<double>& outputs, const Vars<double>& cotangents,
                     const Vars<double>& inputs) {
  std::vector<TensorView<double>> views;
  for (const Var<double>& g : cotangents) views.push_back(g.value());
  Lists result;
  for (const TensorView<double>& g : pullback_values<double>(outputs, views, inputs)) {
    result.push_back(list(g));
  }
  return result;
}

void check_reverse(const Vars<double>& outputs, const Vars<double>& cotangents,
                   const Vars<double>& inputs, const Lists& expected) {
  CHECK(reverse_values(outputs, cotangents, inputs) == expected);
  CHECK(lists(pullback<double>(outputs, cotangents, inputs)) == expected);
}

void check_forward(const Vars<double>& inputs, const Vars<double>& tangents,
                   const Vars<double>& outputs, const Lists& expected) {
  CHECK(lists(pushforward<double>(inputs, tangents, outputs)) == expected);
  Lists values;
  for (const Tensor<double>& t : pushforward_values<double>(inputs, tangents, outputs)) {
    values.push_back(t.to_vector());
  }
  CHECK(values == expected);
}

TEST_CASE("sweep: inputs that no output depends on give zeros of their shape") {
  Tape<double> tape;
  const Var<double> x = tape.input({1, 2});
  const Var<double> unused = tape.input(Tensor<double>::ones({2, 3}));
  const Var<double> empty = tape.input(Tensor<double>::zeros({0, 2}));
  const Var<double> y = x * x;
  const Var<double> g = tape.input({1, 10});
  check_reverse({y}, {g}, {unused, x, empty}, {{0, 0, 0, 0, 0, 0}, {2, 40}, {}});
  CHECK(pullback<double>({y}, {g}, {unused})[0].shape() == Shape{2, 3});
  const Var<double> moved = tape.input(Tensor<double>::ones({2, 3}));
  check_forward({unused}, {moved}, {y}, {{0, 0}});
}

TEST_CASE("sweep: an output that is an input passes its derivative on as it is") {
  Tape<double> tape;
  const Var<double> x = tape.input({1, 2});
  const Var<double> y = exp(x);
  const Var<double> g = tape.input({3, 4});
  check_reverse({x}, {g}, {x}, {{3, 4}});
  check_reverse({y}, {g}, {y}, {{3, 4}});
  check_reverse({y, y + x}, {g, g}, {y}, {{6, 8}});
  check_forward({x}, {g}, {x}, {{3, 4}});
  check_forward({y}, {g}, {y, y * 2}, {{3, 4}, {6, 8}});
}

TEST_CASE("sweep: an output older than every input depends on none") {
  Tape<double> tape;
  const Var<double> a = tape.input({1, 2});
  const Var<double> old = tanh(a);
  const Var<double> x = tape.input({5, 6});
  const Var<double> y = x * old;
  const Var<double> g = tape.input({3, 4});
  const Values slope{3 * std::tanh(1.0), 4 * std::tanh(2.0)};
  check_reverse({old}, {g}, {x}, {{0, 0}});
  const Lists mixed = reverse_values({old, y}, {g, g}, {x});
  CHECK(mixed[0][0] == doctest::Approx(slope[0]).epsilon(1e-14));
  CHECK(mixed[0][1] == doctest::Approx(slope[1]).epsilon(1e-14));
  CHECK(lists(pullback<double>({old, y}, {g, g}, {x})) == mixed);
  check_forward({x}, {g}, {old}, {{0, 0}});
  CHECK(lists(pushforward<double>({x}, {g}, {old, y})) == Lists{{0, 0}, mixed[0]});
}

TEST_CASE("sweep: an input newer than every output gives zeros") {
  Tape<double> tape;
  const Var<double> x = tape.input({1, 2});
  const Var<double> y = x * x;
  const Var<double> late = tanh(x);  // an operation with two outputs, at the end of the tape
  const Var<double> g = tape.input({1, 1});
  check_reverse({y}, {g}, {late}, {{0, 0}});
  check_reverse({y}, {g}, {x, late}, {{2, 4}, {0, 0}});
  check_forward({late}, {g}, {y}, {{0, 0}});
  check_forward({x, late}, {g, g}, {y}, {{2, 4}});
}

TEST_CASE("sweep: cotangents of an output that is given twice add up") {
  Tape<double> tape;
  const Var<double> x = tape.input({1, 2});
  const Var<double> y = x * x;
  const Var<double> g = tape.input({1, 10});
  const Var<double> h = tape.input({2, 5});
  check_reverse({y, y}, {g, h}, {x}, {{6, 60}});
  check_reverse({x, x, y}, {g, h, g}, {x}, {{5, 55}});
  check_forward({x}, {g}, {y, y}, {{2, 40}, {2, 40}});
}

TEST_CASE("sweep: an input that is given twice has one cotangent, and tangents that add up") {
  Tape<double> tape;
  const Var<double> x = tape.input({1, 2});
  const Var<double> y = x * x;
  const Var<double> g = tape.input({1, 10});
  const Var<double> h = tape.input({2, 5});
  check_reverse({y}, {g}, {x, x}, {{2, 40}, {2, 40}});
  check_forward({x, x}, {g, h}, {y}, {{6, 60}});
}

// y depends on x through an operation, z on both. Cotangents include every path; tangents are as
// given.
TEST_CASE("sweep: the derivative in an input includes the paths through the other inputs") {
  struct Case {
    std::string name;
    std::function<Var<double>(const Var<double>&)> f;
    Values y;
    Values slope;
  };

  const std::array<double, 1> weight{0.5};
  for (const Case& c : std::vector<Case>{
           {"square", [](const auto& x) { return square(x); }, {9, 16}, {6, 8}},
           {"identity", [](const auto& x) { return identity(x); }, {3, 4}, {1, 1}},
           {"shift", [](const auto& x) { return x + 1; }, {4, 5}, {1, 1}},
           {"reshape",
            [](const auto& x) {
              return reshape(reshape(x, {1, 2}), {2});
            },
            {3, 4},
            {1, 1}},
           {"step",
            [&](const auto& x) {
              return add_combination<double>(x, x.tape().scalar(2), weight, std::span(&x, 1));
            },
            {6, 8},
            {2, 2}},
       }) {
    CAPTURE(c.name);
    Tape<double> tape;
    const Var<double> x = tape.input({3, 4});
    const Var<double> y = c.f(x);
    REQUIRE(list(y.value()) == c.y);
    const Var<double> z = x * y;
    const Var<double> g = tape.input({1, 10});
    const Values in_y{3, 40};
    const Values in_x{c.y[0] + 3 * c.slope[0], 10 * (c.y[1] + 4 * c.slope[1])};
    check_reverse({z}, {g}, {x, y}, {in_x, in_y});
    check_reverse({z}, {g}, {y, x, y}, {in_y, in_x, in_y});
    check_reverse({z, y}, {g, g}, {y}, {{4, 50}});
    const Var<double> u = tape.input({1, 2});
    const Var<double> v = tape.input({5, 7});
    const Values moved{c.y[0] * 1 + 3 * 5, c.y[1] * 2 + 4 * 7};
    check_forward({x, y}, {u, v}, {z}, {moved});
    check_forward({y, x}, {v, u}, {z, y}, {moved, {5, 7}});
  }
}

TEST_CASE("sweep: a tangent reaches the second output of an operation whose first is an input") {
  Tape<double> tape;
  const Var<double> x = tape.scalar(0.3);
  const Var<double> one = tape.scalar(1);
  const Var<double> y = tanh(x);
  const Var<double> slope = pullback<double>({y}, {one}, {x})[0];  // reads tanh's second output
  const double t = std::tanh(0.3);
  const double curvature = -2 * t * (1 - t * t);
  const Var<double> still = tape.scalar(0);
  CHECK(pushforward<double>({x, y}, {one, still}, {slope})[0].item() ==
        doctest::Approx(curvature).epsilon(1e-14));
  CHECK(reverse_values({slope}, {one}, {x, y})[0][0] == doctest::Approx(curvature).epsilon(1e-14));
}

TEST_CASE("sweep: a node used twice by one operation gets both parts") {
  Tape<double> tape;
  const Var<double> x = tape.input({3, 4});
  const Var<double> one = tape.input({1, 1});
  check_reverse({x + x}, {one}, {x}, {{2, 2}});
  check_reverse({x - x}, {one}, {x}, {{0, 0}});
  check_reverse({x * x}, {one}, {x}, {{6, 8}});
  check_reverse({concatenate({x, x}, 0)}, {tape.input({1, 2, 3, 4})}, {x}, {{4, 6}});
  const Var<double> row = reshape(x, {1, 2});
  check_reverse({row + row, row}, {reshape(one, {1, 2}), reshape(one, {1, 2})}, {x}, {{3, 3}});
}

TEST_CASE("sweep: the first cotangent of a node is copied, so nothing is overwritten") {
  Tape<double> tape;
  const Tensor<double> seed{1, 10};
  const TensorView<double> view = seed;
  const Var<double> x = tape.input({3, 4});
  // Each operation passes its cotangent on unchanged; x is reached by three ways.
  const Var<double> shifted = x + 1;
  const Var<double> reshaped = reshape(reshape(shifted, {2, 1}), {2});
  const Vars<double> outputs{identity(reshaped), x, shifted};
  const Vars<double> inputs{x, shifted, reshaped};
  const std::vector<TensorView<double>> seeds{view, view, view};
  const auto results = pullback_values<double>(outputs, seeds, inputs);
  CHECK(list(results[0]) == Values{3, 30});
  CHECK(list(results[1]) == Values{2, 20});
  CHECK(list(results[2]) == Values{1, 10});
  CHECK(seed == Tensor<double>{1, 10});
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(results[i].data() != seed.data());
    CHECK(results[i].data() != results[(i + 1) % 3].data());
  }
}

TEST_CASE("sweep: cotangents in any order of memory are read") {
  Tape<double> tape;
  const Var<double> x = tape.input({{1, 2, 3}, {4, 5, 6}});
  const Var<double> y = x * 2;
  const Values rows{1, 2, 3, 4, 5, 6};
  const TensorView<double> g(rows.data(), {2, 3});
  CHECK(list(pullback_values<double>(std::span(&y, 1), std::span(&g, 1), std::span(&x, 1))[0]) ==
        Values{2, 4, 6, 8, 10, 12});
}

TEST_CASE("sweep: results live until the next sweep of values") {
  Tape<double> tape;
  const Var<double> x = tape.input({3, 4});
  const Var<double> y = sum(x * x * x);
  const TensorView<double> g = gradient_values<double>(y, std::span(&x, 1))[0];
  for (int i = 0; i < 3; ++i) {
    static_cast<void>(pullback<double>({y}, {tape.scalar(1)}, {x}));
    static_cast<void>(pushforward<double>({x}, {x}, {y}));
    static_cast<void>(tape.input(Tensor<double>::ones({100, 100})));
  }
  CHECK(list(g) == Values{27, 48});
}

TEST_CASE("sweep: results of one sweep are the cotangents of the next") {
  Tape<double> tape;
  const Var<double> x = tape.input({3, 4});
  const Var<double> y = x * 2;
  const TensorView<double> seed = x.value();
  auto results = pullback_values<double>(std::span(&y, 1), std::span(&seed, 1), std::span(&x, 1));
  for (int i = 0; i < 5; ++i) {
    results = pullback_values<double>(std::span(&y, 1), results, std::span(&x, 1));
  }
  CHECK(list(results[0]) == Values{3 * 64, 4 * 64});
}

TEST_CASE("sweep: what a recorded sweep appends is read and differentiated like any other node") {
  Tape<double> tape;
  const Var<double> x = tape.input({0.5, 2});
  const Var<double> one = tape.input({1, 1});
  const Var<double> y = x * x * x * x;
  const Var<double> first = pullback<double>({y}, {one}, {x})[0];
  const Var<double> second = pushforward(x, one, first);
  const Var<double> third = pullback<double>({second}, {one}, {x})[0];
  CHECK(list(first.value()) == Values{0.5, 32});
  CHECK(list(second.value()) == Values{3, 48});
  CHECK(list(third.value()) == Values{12, 48});
  CHECK(list((first + third).value()) == Values{12.5, 80});
  // Later sweeps change no earlier node, though they add to the same cotangents.
  static_cast<void>(pullback<double>({y, first, second}, {one, one, one}, {x}));
  CHECK(list(first.value()) == Values{0.5, 32});
}

TEST_CASE("sweep: operations that do not lie between inputs and outputs cost nothing") {
  Tape<double> tape;
  ProbeState state;
  const Var<double> before = Probe::apply(tape.input({1, 2}), state);  // older than the input
  const Var<double> x = Probe::apply(before, state);                   // the input's own operation
  const Var<double> constant = Probe::apply(tape.input({1, 1}), state);  // depends on no input
  const Var<double> y = x * constant + before;
  const Var<double> aside = Probe::apply(x, state);  // no output depends on it
  const Var<double> after = Probe::apply(y, state);
  const Var<double> g = tape.input({1, 1});
  check_reverse({y}, {g}, {x}, {{2, 2}});
  check_forward({x}, {g}, {y}, {{2, 2}});
  CHECK(state.reverse == 0);
  CHECK(state.forward == 0);
  check_reverse({aside, after}, {g, g}, {x}, {{6, 6}});
  CHECK(state.reverse == 4);  // two operations in each mode
}

TEST_CASE("sweep: the nodes of an inner sweep add nothing to an outer one") {
  const auto appended = [](bool inner) {
    Tape<double> tape;
    const Var<double> x = tape.input({3, 4});
    const Var<double> y = sum(exp(x) * x);
    const Var<double> one = tape.scalar(1);
    if (inner) {
      for (int i = 0; i < 10; ++i) static_cast<void>(pullback<double>({y}, {one}, {x}));
    }
    const Var<double> z = y * y;
    const std::size_t before = tape.size();
    static_cast<void>(pullback<double>({z}, {one}, {x}));
    return tape.size() - before;
  };
  CHECK(appended(true) == appended(false));
}

TEST_CASE("sweep: an exception in a rule leaves tape and sweeps usable") {
  Tape<double> tape;
  ProbeState state;
  const Var<double> x = tape.input({1, 2});
  const Var<double> y = sum(square(Probe::apply(square(x), state)));  // 4 x^4
  const Var<double> one = tape.scalar(1);
  const Var<double> direction = tape.input({1, 1});
  const Values expected{16, 128};
  std::size_t grown = 0;
  for (int i = 0; i < 50; ++i) {
    const std::size_t size = tape.size();
    const Tape<double>::Mark mark = tape.mark();
    state.fails = true;
    CHECK_THROWS_AS(gradient_values<double>(y, std::span(&x, 1)), std::runtime_error);
    CHECK_THROWS_AS(pushforward_values<double>({x}, {direction}, {y}), std::runtime_error);
    CHECK(tape.size() == size);  // sweeps of values leave nothing on the tape
    CHECK_THROWS_AS(pullback<double>({y}, {one}, {x}), std::runtime_error);
    CHECK_THROWS_AS(pushforward<double>({x}, {direction}, {y}), std::runtime_error);
    state.fails = false;
    CHECK(list(gradient_values<double>(y, std::span(&x, 1))[0]) == expected);
    CHECK(lists(pullback<double>({y}, {one}, {x})) == Lists{expected});
    CHECK(pushforward(x, direction, y).item() == 144);
    tape.rewind(mark);
    if (i == 0) grown = tape.capacity();
  }
  CHECK(tape.capacity() == grown);
}

TEST_CASE("sweep: wrong numbers of variables and wrong shapes are errors") {
  Tape<double> tape;
  const Var<double> x = tape.input({1, 2});
  const Var<double> y = x * x;
  const Var<double> wrong = tape.input({1, 2, 3});
  const TensorView<double> wrong_view = wrong.value();
  const Vars<double> none;
  constexpr const char* missing = "] at least one input and one output are needed";
  const auto text = [](const char* op, const char* rest) { return "[" + std::string(op) + rest; };
  CHECK_THROWS_WITH_AS(pullback<double>({y}, {x}, {}), text("pullback", missing).c_str(),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(pullback<double>({}, {}, {x}), text("pullback", missing).c_str(),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(gradient_values<double>(sum(y), none), text("pullback", missing).c_str(),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(pushforward<double>(none, none, {y}), text("pushforward", missing).c_str(),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(pushforward<double>({x}, {x}, none), text("pushforward", missing).c_str(),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(pullback<double>({y}, {x, x}, {x}),
                       "[pullback] one cotangent for each output is needed, got 2 for 1",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(pushforward<double>({x}, none, {y}),
                       "[pushforward] one tangent for each input is needed, got 0 for 1",
                       std::invalid_argument);
  constexpr const char* shape = "] a derivative must have the shape of its variable, [2], got [3]";
  CHECK_THROWS_WITH_AS(pullback<double>({y}, {wrong}, {x}), text("pullback", shape).c_str(),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(
      pullback_values<double>(std::span(&y, 1), std::span(&wrong_view, 1), std::span(&x, 1)),
      text("pullback", shape).c_str(), std::invalid_argument);
  CHECK_THROWS_WITH_AS(pushforward<double>({x}, {wrong}, {y}), text("pushforward", shape).c_str(),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(gradient_values<double>(y, std::span(&x, 1)),
                       "[gradient] the function must give one number, got shape [2]; sum it, or "
                       "use a vector-Jacobian product",
                       std::invalid_argument);
}

TEST_CASE("sweep: two tapes in two threads do not disturb each other") {
  const auto work = [](double start, double& result) {
    Tape<double> tape;
    for (int step = 0; step < 200; ++step) {
      const Var<double> x = tape.input(Tensor<double>::full({16, 4}, start));
      Var<double> y = x;
      for (int i = 0; i < 20; ++i) y = y * x;
      const Var<double> total = sum(y);
      result = gradient_values<double>(total, std::span(&x, 1))[0](15, 3);
      tape.clear();
    }
  };
  double first = 0;
  double second = 0;
  std::thread other([&] { work(-1, second); });
  work(1, first);
  other.join();
  CHECK(first == 21);
  CHECK(second == 21);
}

}  // namespace
}  // namespace fjord
