#include "fjord/ode/adjoint.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/gradient_check.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/layer.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"

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
  const Field<double> f = [](const Var<double>& t, const Var<double>& y) {
    return sin(y * 3.0) * cos(t);
  };
  const Var<double> y0 = tape.input(network_inputs[0]);
  const Solution<double> adjoint =
      solve_adjoint<double>(f, y0, tape.scalar(0.2), tape.scalar(1.4), {}, tight);
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
  CHECK(worst_difference(second_gradients(network_solve(Mode::direct), network_inputs),
                         second_gradients(network_solve(Mode::adjoint), network_inputs)) < 1e-6);
}

TEST_CASE("adjoint: an end time, a start time and a state may depend on a parameter") {
  const auto run = [](Mode mode) -> CheckedFunction {
    return [mode](const Vars<double>& inputs) {
      const Var<double> w = inputs[0];
      const Field<double> f = [w](const Var<double>& t, const Var<double>& y) {
        return sin(y * w) + t * w;
      };
      return solved(mode, f, {square(w) + inputs[1], w * 0.5, w * 2.0}, {w}, tight);
    };
  };
  const std::vector<Tensor<double>> at{Tensor<double>(0.8), Tensor<double>{0.3, -0.4}};
  CHECK(worst_difference(gradients(run(Mode::direct), at), gradients(run(Mode::adjoint), at)) <
        1e-6);
  CHECK(worst_difference(second_gradients(run(Mode::direct), at),
                         second_gradients(run(Mode::adjoint), at)) < 1e-6);
  const GradientCheck checks = check_gradient(run(Mode::adjoint), at);
  CHECK(checks.worst() < 1e-6);
}

TEST_CASE("adjoint: a solve from a time to itself moves with both times") {
  constexpr double w = 0.7;
  constexpr double y = 1.5;
  for (const Mode mode : {Mode::direct, Mode::adjoint}) {
    Tape<double> tape;
    const Vars<double> inputs{tape.scalar(y), tape.scalar(0.4), tape.scalar(0.4), tape.scalar(w)};
    const Var<double> weight = inputs[3];
    const Field<double> f = [weight](const Var<double>& t, const Var<double>& at) {
      return at * weight + t;
    };
    const Var<double> end = solved(mode, f, inputs, {weight}, tight);
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
  const Var<double> y = solved(Mode::adjoint, f, inputs, {}, tight);
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
    const Var<double> y = solved(Mode::adjoint, f, inputs, {w}, tight);
    const Var<double> g = pullback<double>({y}, {tape.scalar(1.0)}, {w})[0];
    // y = exp(w sin t): the derivatives in w are those of a power series.
    CHECK(g.item() == doctest::Approx(std::sin(t1) * y.item()).epsilon(1e-7));
    const double second = gradient_values<double>(g, std::vector{w})[0].item();
    CHECK(second == doctest::Approx(std::pow(std::sin(t1), 2) * y.item()).epsilon(1e-6));
    nodes.push_back(tape.size());
  }
  CHECK(nodes[0] == nodes[1]);
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

TEST_CASE("adjoint: a captured node that is used only late in the solve is an error, too") {
  Tape<double> tape;
  const Var<double> w = tape.scalar(-0.5);
  const Field<double> f = [&](const Var<double>& t, const Var<double>& y) {
    return t.item() < 0.9 ? y * 0.5 : y * w;
  };
  const Var<double> y =
      solved(Mode::adjoint, f, {tape.scalar(1.0), tape.scalar(0.0), tape.scalar(1.0)}, {}, tight);
  CHECK_THROWS_AS(gradient_values<double>(y, std::vector{w}), std::invalid_argument);
}

TEST_CASE("adjoint: a field that returns a captured node as it is uses it") {
  for (const bool listed : {false, true}) {
    Tape<double> tape;
    const Var<double> w = tape.scalar(-0.5);
    const Field<double> f = [&](const Var<double>&, const Var<double>&) { return w; };
    const Vars<double> parameters = listed ? Vars<double>{w} : Vars<double>{};
    const Var<double> y =
        solved(Mode::adjoint, f, {tape.scalar(1.0), tape.scalar(0.0), tape.scalar(3.0)}, parameters,
               tight);
    const auto gradient = [&] { return gradient_values<double>(y, std::vector{w})[0].item(); };
    if (listed) {
      CHECK(gradient() == doctest::Approx(3));
    } else {
      CHECK_THROWS_AS(gradient(), std::invalid_argument);
    }
  }
}

TEST_CASE("adjoint: the start and the times may be used by the field only as parameters") {
  const auto gradient_of = [](Index used, bool listed) {
    Tape<double> tape;
    const Vars<double> inputs{tape.scalar(1.2), tape.scalar(0.3), tape.scalar(1.0)};
    const Var<double> own = inputs[static_cast<std::size_t>(used)];
    const Field<double> f = [own](const Var<double>&, const Var<double>& y) { return y * own; };
    const Vars<double> parameters = listed ? Vars<double>{own} : Vars<double>{};
    const Var<double> y = solved(Mode::adjoint, f, inputs, parameters, tight);
    return gradient_values<double>(y, std::vector{own})[0].item();
  };
  for (const Index used : {0, 1, 2}) {
    CAPTURE(used);
    CHECK_THROWS_AS(gradient_of(used, false), std::invalid_argument);
  }
  // y = y0 exp(p (t1 - t0)) with p = y0, t0 or t1.
  CHECK(gradient_of(0, true) == doctest::Approx(std::exp(0.84) * (1 + 1.2 * 0.7)).epsilon(1e-8));
  CHECK(gradient_of(1, true) == doctest::Approx(1.2 * std::exp(0.21) * 0.4).epsilon(1e-8));
  CHECK(gradient_of(2, true) == doctest::Approx(1.2 * std::exp(0.7) * 1.7).epsilon(1e-8));
}

TEST_CASE("adjoint: the time and a parameter may be one node, and are two variables") {
  const auto run = [](Mode mode) -> CheckedFunction {
    return [mode](const Vars<double>& inputs) {
      const Var<double> t1 = inputs[2];
      const Field<double> f = [t1](const Var<double>& t, const Var<double>& y) {
        return sin(y * t1) * t * t;
      };
      return solved(mode, f, inputs, {t1}, tight);
    };
  };
  const std::vector<Tensor<double>> at{Tensor<double>(0.8), Tensor<double>(0.2),
                                       Tensor<double>(1.3)};
  CHECK(worst_difference(second_gradients(run(Mode::direct), at),
                         second_gradients(run(Mode::adjoint), at)) < 1e-6);
  CHECK(check_gradient(run(Mode::adjoint), at).worst() < 1e-6);
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
  AdjointOptions options = tight;
  options.backward_evaluations = &counted;
  const Solution<double> s =
      solve_adjoint<double>(f, y0, tape.scalar(0.0), tape.scalar(2.0), {}, options);
  CHECK(s.report.evaluations == calls);
  CHECK(counted == 0);
  gradient_values<double>(s.y, std::vector{y0});
  CHECK(counted == calls - s.report.evaluations);
}

TEST_CASE("adjoint: any function is a field") {
  Tape<double> tape;
  const Var<double> y0 = tape.scalar(1.0), t0 = tape.scalar(0.0), t1 = tape.scalar(2.0);
  const Var<double> rate = tape.scalar(-0.5);
  const auto f = [rate](const Var<double>&, const Var<double>& y) { return rate * y; };
  const Var<double> y = solve_adjoint(f, y0, t0, t1, {rate}).y;
  CHECK(gradient_values(y, {rate})[0].item() == doctest::Approx(2 * std::exp(-1.0)).epsilon(1e-4));
}

}  // namespace
}  // namespace fjord::ode
