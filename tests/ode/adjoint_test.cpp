
#include <cmath>
#include <functional>

#include <doctest/doctest.h>

#include "fjord/autodiff/gradient_check.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/layer.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/tests/support/solves.hpp"

namespace fjord::ode {
namespace {

using test::AdjointOptions;
using test::solve_adjoint;

AdjointOptions tolerances(double rtol, double atol) {
  AdjointOptions options;
  options.forward.rtol = options.backward.rtol = rtol;
  options.forward.atol = options.backward.atol = atol;
  return options;
}

const AdjointOptions tight = tolerances(1e-10, 1e-10);

/// How a test takes derivatives.
using Solver = std::function<Solution<double>(const Field<double>& f, const Vars<double>& y0_t0_t1,
                                              const AdjointOptions& options)>;

Solver by(const GradientMode& mode) {
  return
      [&mode](const Field<double>& f, const Vars<double>& y0_t0_t1, const AdjointOptions& options) {
        SolveOptions forward = options.forward;
        forward.gradient = &mode;
        return solve(f, y0_t0_t1[0], y0_t0_t1[1], y0_t0_t1[2], forward);
      };
}

const Checkpointed few_snapshots(3);
const Solver by_steps = by(direct);
const Solver by_adjoint = [](const Field<double>& f, const Vars<double>& y0_t0_t1,
                             const AdjointOptions& options) {
  return solve_adjoint(f, y0_t0_t1[0], y0_t0_t1[1], y0_t0_t1[2], options);
};

Var<double> solved(const Solver& solver, const Field<double>& f, const Vars<double>& y0_t0_t1,
                   const AdjointOptions& options) {
  const Solution<double> s = solver(f, y0_t0_t1, options);
  REQUIRE(s.report.status == Status::success);
  return s.y;
}

/// A network that sees the time, from inputs y0, t0, t1, weight and bias.
CheckedFunction network_solve(const Solver& mode, const AdjointOptions& options = tight) {
  return [mode, options](const Vars<double>& inputs) {
    const Var<double> weight = inputs[3];
    const Var<double> bias = inputs[4];
    const Field<double> f = [=](const Var<double>& t, const Var<double>& y) {
      return tanh(affine(y, weight, bias)) * cos(t) - y * 0.3;
    };
    return solved(mode, f, {inputs[0], inputs[1], inputs[2]}, options);
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
    const std::vector<double> direct = gradients(network_solve(by_steps), at);
    CHECK(worst_difference(direct, gradients(network_solve(by_adjoint), at)) < 1e-6);
    for (const double g : direct) CHECK(std::abs(g) > 1e-4);
  }
}

TEST_CASE("adjoint: the value is that of the direct solve, bit for bit") {
  Tape<double> tape;
  const Field<double> f = [](const Var<double>& t, const Var<double>& y) {
    return sin(y * 3.0) * cos(t);
  };
  const Var<double> y0 = tape.input(network_inputs[0]);
  const Solution<double> adjoint =
      solve_adjoint<double>(f, y0, tape.scalar(0.2), tape.scalar(1.4), tight);
  const Solution<double> direct = solve(f, y0, {0.2, 1.4}, tight.forward);
  CHECK(Tensor<double>(adjoint.y.value()) == Tensor<double>(direct.y.value()));
  CHECK(adjoint.report.evaluations == direct.report.evaluations);
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
    solve_adjoint<double>(f, y0, t0, t1, tight);
    sizes.push_back(tape.size() - before);
  }
  CHECK(sizes[0] == sizes[1]);
}

TEST_CASE("adjoint: both modes give the exact derivatives of 256 decays") {
  constexpr double alpha = 0.7;
  for (const Solver& mode : {by_steps, by_adjoint}) {
    Tape<double> tape;
    const Vars<double> inputs{tape.input(Tensor<double>::ones({256})), tape.scalar(0.0),
                              tape.scalar(3.0), tape.scalar(alpha)};
    const Var<double> rate = inputs[3];
    const Field<double> f = [rate](const Var<double>&, const Var<double>& y) {
      return -(y * rate);
    };
    const Var<double> y = sum(solved(mode, f, inputs, tolerances(1e-6, 1e-7)));
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
  const auto run = [](const Solver& mode) {
    return gradients(
        [mode](const Vars<double>& inputs) {
          const Var<double> matrix = inputs[3];
          const Field<double> f = [matrix](const Var<double>&, const Var<double>& y) {
            return matmul(y, matrix);
          };
          return solved(mode, f, inputs, tolerances(1e-8, 1e-8));
        },
        {Tensor<double>{{0.9, 5.4}}, Tensor<double>(0.3), Tensor<double>(9.5),
         Tensor<double>{{-0.1, -1.0}, {1.0, -0.1}}});
  };
  CHECK(worst_difference(run(by_steps), run(by_adjoint)) < 1e-5);
}

TEST_CASE("adjoint: first and second derivatives in every nesting, through both modes") {
  // Differences see the steps change with the inputs, and nestings of adjoint solves their
  // tolerances.
  for (const auto& at : {network_inputs, backwards(network_inputs)}) {
    const GradientCheck direct = check_gradient(network_solve(by_steps), at);
    CHECK(direct.reverse < 1e-6);
    CHECK(direct.forward < 1e-12);
    CHECK(direct.second < 1e-11);
    const GradientCheck adjoint = check_gradient(network_solve(by_adjoint), at);
    CHECK(adjoint.reverse < 1e-6);
    CHECK(adjoint.forward < 1e-6);
    CHECK(adjoint.second < 1e-6);
  }
}

/// The derivatives of the sum of sines of all gradients of the sum of squares.
std::vector<double> second_gradients(const CheckedFunction& f,
                                     const std::vector<Tensor<double>>& at) {
  return gradients(
      [&](const Vars<double>& inputs) {
        const Var<double> loss = sum(square(f(inputs)));
        Var<double> slope = loss.tape().scalar(0.0);
        for (const Var<double>& g : pullback<double>({loss}, {loss.tape().scalar(1.0)}, inputs))
          slope = slope + sum(sin(g));
        return slope;
      },
      at);
}

TEST_CASE("adjoint: second derivatives are those of the direct mode") {
  CHECK(worst_difference(second_gradients(network_solve(by_steps), network_inputs),
                         second_gradients(network_solve(by_adjoint), network_inputs)) < 1e-6);
}

TEST_CASE("adjoint: an end time, a start time and a state may depend on a parameter") {
  const auto run = [](const Solver& mode) -> CheckedFunction {
    return [mode](const Vars<double>& inputs) {
      const Var<double> w = inputs[0];
      const Field<double> f = [w](const Var<double>& t, const Var<double>& y) {
        return sin(y * w) + t * w;
      };
      return solved(mode, f, {square(w) + inputs[1], w * 0.5, w * 2.0}, tight);
    };
  };
  const std::vector<Tensor<double>> at{Tensor<double>(0.8), Tensor<double>{0.3, -0.4}};
  CHECK(worst_difference(gradients(run(by_steps), at), gradients(run(by_adjoint), at)) < 1e-6);
  CHECK(worst_difference(second_gradients(run(by_steps), at),
                         second_gradients(run(by_adjoint), at)) < 1e-6);
  const GradientCheck checks = check_gradient(run(by_adjoint), at);
  CHECK(checks.worst() < 1e-6);
}

TEST_CASE("adjoint: a solve from a time to itself moves with both times") {
  constexpr double w = 0.7;
  constexpr double y = 1.5;
  for (const Solver& mode : {by_steps, by_adjoint}) {
    Tape<double> tape;
    const Vars<double> inputs{tape.scalar(y), tape.scalar(0.4), tape.scalar(0.4), tape.scalar(w)};
    const Var<double> weight = inputs[3];
    const Field<double> f = [weight](const Var<double>& t, const Var<double>& at) {
      return at * weight + t;
    };
    const Var<double> end = solved(mode, f, inputs, tight);
    CHECK(end.item() == y);
    const Vars<double> g = pullback<double>({end}, {tape.scalar(1.0)}, inputs);
    const double slope = y * w + 0.4;
    const std::vector<double> first{1, -slope, slope, 0};
    for (std::size_t i = 0; i < 4; ++i) CHECK(g[i].item() == doctest::Approx(first[i]));
    // d2 y / dt1 = the slope's own change, and its derivatives in y0, t0 and w.
    const auto second = gradient_values<double>(g[2], inputs);
    const std::vector<double> mixed{w, -w * slope, w * slope + 1, y};
    for (std::size_t i = 0; i < 4; ++i) CHECK(second[i].item() == doctest::Approx(mixed[i]));
  }
}

TEST_CASE("adjoint: empty states and scalars are ordinary") {
  Tape<double> tape;
  const Field<double> f = [](const Var<double>& t, const Var<double>& y) { return y * t; };
  const Vars<double> inputs{tape.input(Tensor<double>::zeros({0, 3})), tape.scalar(0.0),
                            tape.scalar(1.0)};
  const Var<double> y = solved(by_adjoint, f, inputs, tight);
  const auto g = gradient_values<double>(sum(y), inputs);
  CHECK(g[0].shape() == Shape{0, 3});
  CHECK(g[2].item() == 0);
}

TEST_CASE("adjoint: second derivatives take no more memory for more steps") {
  std::vector<std::size_t> nodes;
  for (const double t1 : {1.0, 40.0}) {
    Tape<double> tape;
    const Vars<double> inputs{tape.scalar(1.0), tape.scalar(0.0), tape.scalar(t1),
                              tape.scalar(0.2)};
    const Var<double> w = inputs[3];
    const Field<double> f = [w](const Var<double>& t, const Var<double>& y) {
      return y * w * cos(t);
    };
    const Var<double> y = solved(by_adjoint, f, inputs, tight);
    const Var<double> g = pullback<double>({y}, {tape.scalar(1.0)}, {w})[0];
    // y = exp(w sin t): the derivatives in w are those of a power series.
    CHECK(g.item() == doctest::Approx(std::sin(t1) * y.item()).epsilon(1e-7));
    const double second = gradient_values<double>(g, std::vector{w})[0].item();
    CHECK(second == doctest::Approx(std::pow(std::sin(t1), 2) * y.item()).epsilon(1e-6));
    nodes.push_back(tape.size());
  }
  CHECK(nodes[0] == nodes[1]);
}

/// Every mode that takes derivatives from a solve.
const std::vector<Solver> all_modes{by_steps, by(checkpointed), by(few_snapshots), by_adjoint};

TEST_CASE("gradient modes: derivatives flow to whatever the field uses") {
  for (const Solver& mode : all_modes) {
    Tape<double> tape;
    const Var<double> w = tape.scalar(-0.25);
    const Var<double> twice = w * 2.0;
    const Vars<double> inputs{tape.scalar(1.5), tape.scalar(0.0), tape.scalar(1.0)};
    const Field<double> f = [&](const Var<double>&, const Var<double>& y) { return y * twice; };
    const Var<double> y = solved(mode, f, inputs, tight);
    // y = y0 exp(2 w t).
    const double end = 1.5 * std::exp(-0.5);
    const auto g = gradient_values(y, {w, inputs[0], twice});
    CHECK(g[0].item() == doctest::Approx(2 * end).epsilon(1e-8));
    CHECK(g[1].item() == doctest::Approx(std::exp(-0.5)).epsilon(1e-8));
    CHECK(g[2].item() == doctest::Approx(end).epsilon(1e-8));
    CHECK(pushforward(w, tape.scalar(1.0), y).item() == doctest::Approx(2 * end).epsilon(1e-8));
    const Var<double> once = pullback<double>({y}, {tape.scalar(1.0)}, {w})[0];
    CHECK(gradient_values(once, {w})[0].item() == doctest::Approx(4 * end).epsilon(1e-7));
  }
}

TEST_CASE("gradient modes: what is used only late in the solve has its derivative, too") {
  for (const Solver& mode : all_modes) {
    Tape<double> tape;
    const Var<double> w = tape.scalar(-0.5);
    const Field<double> f = [&](const Var<double>& t, const Var<double>& y) {
      return t.item() < 0.9 ? y * 0.5 : y * w;
    };
    AdjointOptions options = tight;
    options.forward.jumps = {0.9};
    options.backward.jumps = {0.9};
    const Var<double> y =
        solved(mode, f, {tape.scalar(1.0), tape.scalar(0.0), tape.scalar(1.0)}, options);
    CHECK(gradient_values(y, {w})[0].item() ==
          doctest::Approx(0.1 * std::exp(0.45 - 0.05)).epsilon(1e-7));
  }
}

TEST_CASE("gradient modes: a field that returns a captured node as it is uses it") {
  for (const Solver& mode : all_modes) {
    Tape<double> tape;
    const Var<double> w = tape.scalar(-0.5);
    const Field<double> f = [&](const Var<double>&, const Var<double>&) { return w; };
    const Var<double> y =
        solved(mode, f, {tape.scalar(1.0), tape.scalar(0.0), tape.scalar(3.0)}, tight);
    CHECK(gradient_values(y, {w})[0].item() == doctest::Approx(3));
  }
}

TEST_CASE("gradient modes: the start and the times may be used by the field") {
  const auto gradient_of = [](const Solver& mode, Index used) {
    Tape<double> tape;
    const Vars<double> inputs{tape.scalar(1.2), tape.scalar(0.3), tape.scalar(1.0)};
    const Var<double> own = inputs[static_cast<std::size_t>(used)];
    const Field<double> f = [own](const Var<double>&, const Var<double>& y) { return y * own; };
    return gradient_values(solved(mode, f, inputs, tight), {own})[0].item();
  };
  // y = y0 exp(p (t1 - t0)) with p = y0, t0 or t1.
  for (const Solver& mode : all_modes) {
    CHECK(gradient_of(mode, 0) == doctest::Approx(std::exp(0.84) * (1 + 1.2 * 0.7)).epsilon(1e-8));
    CHECK(gradient_of(mode, 1) == doctest::Approx(1.2 * std::exp(0.21) * 0.4).epsilon(1e-8));
    CHECK(gradient_of(mode, 2) == doctest::Approx(1.2 * std::exp(0.7) * 1.7).epsilon(1e-8));
  }
}

TEST_CASE("gradient modes: checkpointed derivatives are those of the recorded steps") {
  const std::vector<double> recorded = gradients(network_solve(by_steps), network_inputs);
  for (const Solver& mode : {by(checkpointed), by(few_snapshots)}) {
    const std::vector<double> again = gradients(network_solve(mode), network_inputs);
    CHECK(worst_difference(recorded, again) < 1e-14);
    const GradientCheck check = check_gradient(network_solve(mode), network_inputs);
    CHECK(check.second < 1e-7);
  }
}

TEST_CASE("adjoint: the time and a parameter may be one node, and are two variables") {
  const auto run = [](const Solver& mode) -> CheckedFunction {
    return [mode](const Vars<double>& inputs) {
      const Var<double> t1 = inputs[2];
      const Field<double> f = [t1](const Var<double>& t, const Var<double>& y) {
        return sin(y * t1) * t * t;
      };
      return solved(mode, f, inputs, tight);
    };
  };
  const std::vector<Tensor<double>> at{Tensor<double>(0.8), Tensor<double>(0.2),
                                       Tensor<double>(1.3)};
  CHECK(worst_difference(second_gradients(run(by_steps), at),
                         second_gradients(run(by_adjoint), at)) < 1e-6);
  CHECK(check_gradient(run(by_adjoint), at).worst() < 1e-6);
}

TEST_CASE("adjoint: a second solve that fails says which and why") {
  AdjointOptions options = tight;
  options.backward.max_steps = 1;
  Tape<double> tape;
  const Vars<double> inputs{tape.scalar(1.0), tape.scalar(0.0), tape.scalar(5.0)};
  const Field<double> f = [](const Var<double>&, const Var<double>& y) { return -y; };
  const Var<double> y = solved(by_adjoint, f, inputs, options);
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
      solve_adjoint<double>(f, tape.scalar(1.0), tape.scalar(0.0), tape.scalar(5.0), options)
          .report;
  CHECK(report.status == Status::max_steps);
  CHECK(report.t < 5);
}

TEST_CASE("adjoint: any function is a field") {
  Tape<double> tape;
  const Var<double> y0 = tape.scalar(1.0), t0 = tape.scalar(0.0), t1 = tape.scalar(2.0);
  const Var<double> rate = tape.scalar(-0.5);
  const auto f = [rate](const Var<double>&, const Var<double>& y) { return rate * y; };
  const Var<double> y = solve_adjoint(f, y0, t0, t1).y;
  CHECK(gradient_values(y, {rate})[0].item() == doctest::Approx(2 * std::exp(-1.0)).epsilon(1e-4));
}

}  // namespace
}  // namespace fjord::ode
