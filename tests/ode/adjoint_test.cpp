#include "fjord/ode/adjoint.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/gradient_check.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"

namespace fjord::ode {
namespace {

enum class Mode { direct, adjoint };

AdjointOptions tolerances(double rtol, double atol) {
  AdjointOptions options;
  options.forward.rtol = options.backward.rtol = rtol;
  options.forward.atol = options.backward.atol = atol;
  return options;
}

const AdjointOptions tight = tolerances(1e-10, 1e-10);

Var<double> solved(Mode mode, const Field<double>& f, const Vars<double>& y0_t0_t1,
                   const Vars<double>& parameters, const AdjointOptions& options) {
  const Solution<double> s =
      mode == Mode::direct
          ? solve(f, y0_t0_t1[0], y0_t0_t1[1], y0_t0_t1[2], options.forward)
          : solve_adjoint(f, y0_t0_t1[0], y0_t0_t1[1], y0_t0_t1[2], parameters, options);
  REQUIRE(s.report.status == Status::success);
  return s.y;
}

/// A network that sees the time, from inputs y0, t0, t1, weight and bias.
CheckedFunction network_solve(Mode mode, const AdjointOptions& options = tight) {
  return [mode, options](const Vars<double>& inputs) {
    const Var<double> weight = inputs[3];
    const Var<double> bias = inputs[4];
    const Field<double> f = [=](const Var<double>& t, const Var<double>& y) {
      return tanh(affine(y, weight, bias)) * cos(t) - y * 0.3;
    };
    return solved(mode, f, {inputs[0], inputs[1], inputs[2]}, {weight, bias}, options);
  };
}

const std::vector<Tensor<double>> network_inputs{
    Tensor<double>{{0.4, -0.7}, {1.2, 0.1}, {-0.3, 0.8}}, Tensor<double>(0.2), Tensor<double>(1.4),
    Tensor<double>{{0.9, -0.5}, {0.3, 0.7}}, Tensor<double>{0.1, -0.4}};

/// The numbers of all gradients of the sum of squares, one after another.
std::vector<double> gradients(const CheckedFunction& f, const std::vector<Tensor<double>>& at) {
  Tape<double> tape;
  Vars<double> inputs;
  for (const Tensor<double>& x : at) inputs.push_back(tape.input(x));
  std::vector<double> numbers;
  for (const TensorView<double>& g : gradient_values<double>(sum(square(f(inputs))), inputs)) {
    const std::vector<double> part = Tensor<double>(g).to_vector();
    numbers.insert(numbers.end(), part.begin(), part.end());
  }
  return numbers;
}

double worst_difference(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
  return worst;
}

std::vector<Tensor<double>> backwards(std::vector<Tensor<double>> inputs) {
  std::swap(inputs[1], inputs[2]);
  return inputs;
}

TEST_CASE("adjoint: direct and adjoint gradients agree in state, times and parameters") {
  for (const auto& at : {network_inputs, backwards(network_inputs)}) {
    const std::vector<double> direct = gradients(network_solve(Mode::direct), at);
    CHECK(worst_difference(direct, gradients(network_solve(Mode::adjoint), at)) < 1e-6);
    for (const double g : direct) CHECK(std::abs(g) > 1e-4);
  }
}

TEST_CASE("adjoint: the value is that of the direct solve, bit for bit") {
  Tape<double> tape;
  Vars<double> inputs;
  for (const Tensor<double>& x : network_inputs) inputs.push_back(tape.input(x));
  const double direct = sum(square(network_solve(Mode::direct)(inputs))).item();
  const double adjoint = sum(square(network_solve(Mode::adjoint)(inputs))).item();
  CHECK(adjoint == doctest::Approx(direct).epsilon(1e-12));
}

TEST_CASE("adjoint: the tape holds one operation, however many steps there are") {
  Tape<double> tape;
  const Var<double> y0 = tape.scalar(1.0);
  const Var<double> t0 = tape.scalar(0.0);
  const Field<double> f = [](const Var<double>& t, const Var<double>& y) { return y * cos(t); };
  std::vector<std::size_t> sizes;
  for (const double t : {1.0, 50.0}) {
    const Var<double> t1 = tape.scalar(t);
    const std::size_t before = tape.size();
    solve_adjoint<double>(f, y0, t0, t1, {}, tight);
    sizes.push_back(tape.size() - before);
  }
  CHECK(sizes[0] == sizes[1]);
}

TEST_CASE("adjoint: both modes give the exact derivatives of 256 decays") {
  constexpr double alpha = 0.7;
  for (const Mode mode : {Mode::direct, Mode::adjoint}) {
    Tape<double> tape;
    const Vars<double> inputs{tape.input(Tensor<double>::ones({256})), tape.scalar(0.0),
                              tape.scalar(3.0), tape.scalar(alpha)};
    const Var<double> rate = inputs[3];
    const Field<double> f = [rate](const Var<double>&, const Var<double>& y) {
      return -(y * rate);
    };
    const Var<double> y = sum(solved(mode, f, inputs, {rate}, tolerances(1e-6, 1e-7)));
    const double exact = std::exp(-3 * alpha);
    CHECK(std::abs(y.item() / 256 - exact) < 1e-6);
    const auto g = gradient_values<double>(y, inputs);
    for (Index i = 0; i < 256; ++i) CHECK(std::abs(g[0](i) - exact) < 1e-6);
    CHECK(std::abs(g[1].item() / 256 - alpha * exact) < 1e-6);
    CHECK(std::abs(g[2].item() / 256 + alpha * exact) < 1e-6);
    CHECK(std::abs(g[3].item() / 256 + 3 * exact) < 1e-6);
  }
}

TEST_CASE("adjoint: the modes agree on a linear field from 0.3 to 9.5") {
  const auto run = [](Mode mode) {
    return gradients(
        [mode](const Vars<double>& inputs) {
          const Var<double> matrix = inputs[3];
          const Field<double> f = [matrix](const Var<double>&, const Var<double>& y) {
            return matmul(y, matrix);
          };
          return solved(mode, f, inputs, {matrix}, tolerances(1e-8, 1e-8));
        },
        {Tensor<double>{{0.9, 5.4}}, Tensor<double>(0.3), Tensor<double>(9.5),
         Tensor<double>{{-0.1, -1.0}, {1.0, -0.1}}});
  };
  CHECK(worst_difference(run(Mode::direct), run(Mode::adjoint)) < 1e-5);
}

TEST_CASE("adjoint: first and second derivatives in every nesting, through both modes") {
  // Differences see the steps change with the inputs, and nestings of adjoint solves their
  // tolerances.
  for (const auto& at : {network_inputs, backwards(network_inputs)}) {
    const GradientCheck direct = check_gradient(network_solve(Mode::direct), at);
    CHECK(direct.reverse < 1e-6);
    CHECK(direct.forward < 1e-12);
    CHECK(direct.second < 1e-11);
    const GradientCheck adjoint = check_gradient(network_solve(Mode::adjoint), at);
    CHECK(adjoint.reverse < 1e-6);
    CHECK(adjoint.forward < 1e-6);
    CHECK(adjoint.second < 1e-6);
  }
}

TEST_CASE("adjoint: second derivatives are those of the direct mode") {
  std::vector<std::vector<double>> products;
  for (const Mode mode : {Mode::direct, Mode::adjoint}) {
    Tape<double> tape;
    Vars<double> inputs;
    for (const Tensor<double>& x : network_inputs) inputs.push_back(tape.input(x));
    const Var<double> loss = sum(square(network_solve(mode)(inputs)));
    Var<double> slope = tape.scalar(0.0);
    for (const Var<double>& g : pullback<double>({loss}, {tape.scalar(1.0)}, inputs))
      slope = slope + sum(sin(g));
    products.emplace_back();
    for (const TensorView<double>& g : gradient_values<double>(slope, inputs)) {
      for (const double x : Tensor<double>(g).to_vector()) products.back().push_back(x);
    }
  }
  CHECK(worst_difference(products[0], products[1]) < 1e-6);
}

/// y' = w y with a w that the adjoint is not told of.
struct Captured {
  Tape<double> tape;
  Vars<double> inputs{tape.scalar(1.5), tape.scalar(0.0), tape.scalar(1.0)};
  Var<double> w = tape.scalar(-0.5);
  Var<double> y = solved(
      Mode::adjoint, [this](const Var<double>&, const Var<double>& at) { return at * w; }, inputs,
      {}, tight);
};

TEST_CASE(
    "adjoint: a captured node that the derivative depends on is an error that says what to do") {
  Captured c;
  CHECK_THROWS_WITH_AS(gradient_values<double>(c.y, std::vector{c.w}),
                       doctest::Contains("add it to the parameters"), std::invalid_argument);
  CHECK_THROWS_AS(pullback<double>({c.y}, {c.tape.scalar(1.0)}, {c.inputs[0], c.w}),
                  std::invalid_argument);
  CHECK_THROWS_AS(pushforward(c.w, c.tape.scalar(1.0), c.y), std::invalid_argument);
}

TEST_CASE("adjoint: a captured constant is none") {
  Captured c;
  CHECK(gradient_values<double>(c.y, std::vector{c.inputs[0]})[0].item() ==
        doctest::Approx(std::exp(-0.5)).epsilon(1e-8));
  CHECK(pushforward(c.inputs[0], c.tape.scalar(1.0), c.y).item() ==
        doctest::Approx(std::exp(-0.5)).epsilon(1e-8));
}

TEST_CASE("adjoint: a captured function of a listed parameter is an error, too") {
  Tape<double> tape;
  const Var<double> w = tape.scalar(-0.5);
  const Var<double> twice = w * 2.0;
  const Field<double> f = [&](const Var<double>&, const Var<double>& y) { return y * twice; };
  const Var<double> y =
      solved(Mode::adjoint, f, {tape.scalar(1.0), tape.scalar(0.0), tape.scalar(1.0)}, {w}, tight);
  CHECK_THROWS_AS(gradient_values<double>(y, std::vector{w}), std::invalid_argument);
}

TEST_CASE("adjoint: a second solve that fails says which and why") {
  AdjointOptions options = tight;
  options.backward.max_steps = 1;
  Tape<double> tape;
  const Vars<double> inputs{tape.scalar(1.0), tape.scalar(0.0), tape.scalar(5.0)};
  const Field<double> f = [](const Var<double>&, const Var<double>& y) { return -y; };
  const Var<double> y = solved(Mode::adjoint, f, inputs, {}, options);
  CHECK_THROWS_WITH_AS(gradient_values<double>(y, inputs),
                       doctest::Contains("backward solve failed"), SolveFailure);
  CHECK_THROWS_WITH_AS(gradient_values<double>(y, inputs), doctest::Contains("raise max_steps"),
                       SolveFailure);
  CHECK_THROWS_AS(pushforward(inputs[0], tape.scalar(1.0), y), SolveFailure);
}

TEST_CASE("adjoint: a first solve that fails gives its report") {
  AdjointOptions options = tight;
  options.forward.max_steps = 2;
  Tape<double> tape;
  const Field<double> f = [](const Var<double>&, const Var<double>& y) { return -y; };
  const Report report =
      solve_adjoint<double>(f, tape.scalar(1.0), tape.scalar(0.0), tape.scalar(5.0), {}, options)
          .report;
  CHECK(report.status == Status::max_steps);
  CHECK(report.t < 5);
}

TEST_CASE("adjoint: evaluations of the second solve are counted where the caller asks") {
  Tape<double> tape;
  std::size_t calls = 0;
  std::size_t counted = 0;
  const Field<double> f = [&](const Var<double>&, const Var<double>& y) {
    ++calls;
    return -y;
  };
  const Var<double> y0 = tape.scalar(1.0);
  const Solution<double> s =
      solve_adjoint<double>(f, y0, tape.scalar(0.0), tape.scalar(2.0), {}, tight, &counted);
  CHECK(s.report.evaluations == calls);
  CHECK(counted == 0);
  gradient_values<double>(s.y, std::vector{y0});
  CHECK(counted == calls - s.report.evaluations);
}

}  // namespace
}  // namespace fjord::ode
