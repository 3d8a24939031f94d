/// Every gradient mode of solves, against closed forms and differences of simulations.
#include "fjord/tests/support/gradient_modes.hpp"

#include <cmath>
#include <functional>

#include <doctest/doctest.h>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/layer.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"
#include "fjord/ode/methods.hpp"
#include "fjord/ode/simulate.hpp"
#include "fjord/ode/solve.hpp"

namespace fjord::ode {
namespace {

using test::few_snapshots;
using test::Logistic;
using test::loss_of;
using test::modes;
using test::Number;
using test::options_of;
using test::part;
using test::tolerances;

/// A field, its start, and the parameters that it reads.
struct Problem2 {
  const char* name;
  std::function<Number(const Number& t, const Number& y, const Number& p)> f;
  Tensor<double> y0;
  Tensor<double> p;
  double t1;
};

std::vector<Problem2> problems() {
  const auto linear = [](const Number&, const Number& y, const Number& p) {
    return concatenate<double>({part(p, 0) * part(y, 0) + part(p, 1) * part(y, 1),
                                part(p, 2) * part(y, 0) + part(p, 3) * part(y, 1)},
                               0);
  };
  const auto van_der_pol = [](const Number&, const Number& y, const Number& p) {
    const Number a = part(y, 0);
    const Number b = part(y, 1);
    return concatenate<double>({b, p * (1.0 - square(a)) * b - a}, 0);
  };
  const auto lorenz = [](const Number&, const Number& y, const Number& p) {
    const Number a = part(y, 0);
    const Number b = part(y, 1);
    const Number c = part(y, 2);
    return concatenate<double>(
        {part(p, 0) * (b - a), a * (part(p, 1) - c) - b, a * b - part(p, 2) * c}, 0);
  };
  const auto network = [](const Number& t, const Number& y, const Number& p) {
    const Number weight = reshape(slice(p, 0, 0, 6), {3, 2});
    const Number back = reshape(slice(p, 0, 6, 12), {2, 3});
    const Number hidden = tanh(affine(y, weight, slice(p, 0, 12, 15)));
    return affine(hidden, back, slice(p, 0, 15, 17)) * cos(t);
  };
  std::vector<double> weights;
  weights.reserve(17);
  for (int i = 0; i < 17; ++i) weights.push_back(std::sin(1.0 + 2 * i));
  return {{"linear", linear, {0.9, 5.4}, {-0.1, 0.7, -0.9, -0.2}, 3},
          {"van der Pol", van_der_pol, {2.0, 0.1}, {3.0}, 5},
          {"Lorenz", lorenz, {1.0, 1.0, 1.0}, {10.0, 28.0, 8.0 / 3}, 0.5},
          {"network", network, {{0.4, -0.7}, {1.2, 0.1}}, Tensor<double>::from({17}, weights), 2}};
}

/// Numbers of a gradient, one after another, by differences of order 6 of solves without one.
std::vector<double> differences(const Problem2& problem) {
  constexpr std::array<double, 3> weights{45, -9, 1};
  constexpr double h = 2e-3;
  std::vector<double> result;
  const auto loss = [&](const Tensor<double>& y0, const Tensor<double>& p) {
    Tape<double> tape;
    SolveOptions options = tolerances(1e-13, 1e-13);
    options.method = &verner9;
    options.gradient = &values_only;
    options.max_steps = 100'000;
    const Number parameters = tape.input(p);
    const auto field = [&](const Number& t, const Number& y) {
      return problem.f(t, y, parameters);
    };
    return loss_of(solve(field, tape.input(y0), {0, problem.t1}, options).y).item();
  };
  for (const bool is_state : {true, false}) {
    const Index size = is_state ? problem.y0.size() : problem.p.size();
    for (Index i = 0; i < size; ++i) {
      double slope = 0;
      for (std::size_t k = 0; k < 3; ++k) {
        for (const double sign : {1.0, -1.0}) {
          Tensor<double> y0 = problem.y0;
          Tensor<double> p = problem.p;
          (is_state ? y0 : p).data()[i] += sign * h * static_cast<double>(k + 1);
          slope += sign * weights[k] * loss(y0, p);
        }
      }
      result.push_back(slope / (60 * h));
    }
  }
  return result;
}

TEST_CASE("gradient modes: in the state, both times and a parameter, as the closed form") {
  for (const Logistic& exact :
       {Logistic{0.2, 0.3, 2.1, 1.7}, {0.2, 2.1, 0.3, 1.7}, {0.9, 0, 4, -1}, {0.4, 1, 1, 2}}) {
    CAPTURE(exact.t0);
    CAPTURE(exact.a);
    for (const GradientMode* mode : modes()) {
      CAPTURE(std::string(mode->name()));
      Tape<double> tape;
      const Vars<double> inputs{tape.scalar(exact.y0), tape.scalar(exact.t0), tape.scalar(exact.t1),
                                tape.scalar(exact.a)};
      const auto field = [&](const Number&, const Number& y) { return inputs[3] * y * (1.0 - y); };
      const Solution<double> s =
          solve(field, inputs[0], inputs[1], inputs[2], options_of(*mode, 0.01));
      REQUIRE(s.report.status == Status::success);
      CHECK(s.y.item() == doctest::Approx(exact.y()).epsilon(1e-8));
      const auto found = gradient_values(s.y, inputs);
      for (std::size_t i = 0; i < 4; ++i) {
        CAPTURE(i);
        CHECK(found[i].item() == doctest::Approx(exact.gradient()[i]).epsilon(1e-7));
      }
    }
  }
}

TEST_CASE("gradient modes: as differences, on a linear field, van der Pol, Lorenz and a network") {
  for (const Problem2& problem : problems()) {
    CAPTURE(std::string(problem.name));
    const std::vector<double> expected = differences(problem);
    double scale = 0;
    for (const double e : expected) scale = std::max(scale, std::abs(e));
    for (const GradientMode* mode : modes()) {
      CAPTURE(std::string(mode->name()));
      Tape<double> tape;
      const Vars<double> inputs{tape.input(problem.y0), tape.input(problem.p)};
      const auto field = [&](const Number& t, const Number& y) {
        return problem.f(t, y, inputs[1]);
      };
      const Solution<double> s = solve(field, inputs[0], {0, problem.t1}, options_of(*mode, 2e-3));
      REQUIRE(s.report.status == Status::success);
      // Errors of its way back grow as the field contracts.
      if (mode == &reversible && std::string(problem.name) == "van der Pol") {
        CHECK_THROWS_WITH_AS(gradient_values(loss_of(s.y), inputs),
                             doctest::Contains("did not come back"), SolveFailure);
        continue;
      }
      const auto found = gradient_values(loss_of(s.y), inputs);
      std::size_t next = 0;
      for (const TensorView<double>& gradient : found) {
        for (Index i = 0; i < gradient.shape().size(); ++i) {
          CAPTURE(next);
          CHECK(std::abs(gradient.data()[i] - expected[next]) < 1e-6 * scale);
          ++next;
        }
      }
    }
  }
}

TEST_CASE("gradient modes: second order where there is one, and an error elsewhere") {
  // The logistic's end in y0: with r = exp(-a), y = y0 / (y0 + (1 - y0) r), y'' = 2 r (r - 1) / (y0
  // + (1 - y0) r)^3; and d2y/dy0 da = (2 (1 - y0) r / (y0 + (1 - y0) r) - 1) r / (...)^2.
  constexpr double y0 = 0.3;
  constexpr double a = 1.2;
  const double r = std::exp(-a);
  const double bottom = y0 + (1 - y0) * r;
  const double in_y0 = 2 * r * (r - 1) / std::pow(bottom, 3);
  const double mixed = (2 * (1 - y0) * r / bottom - 1) * r / (bottom * bottom);
  for (const GradientMode* mode : modes()) {
    CAPTURE(std::string(mode->name()));
    Tape<double> tape;
    const Vars<double> inputs{tape.scalar(y0), tape.scalar(a)};
    const auto field = [&](const Number&, const Number& y) { return inputs[1] * y * (1.0 - y); };
    const Number y = solve(field, inputs[0], {0, 1}, options_of(*mode, 0.01)).y;
    const auto slope = [&] { return pullback<double>({y}, {tape.scalar(1.0)}, inputs)[0]; };
    const auto pushed = [&] { return pushforward(inputs[1], tape.scalar(1.0), y); };
    const std::string_view name = mode->name();
    if (name == "interpolating" || name == "quadrature" || name == "reversible") {
      const auto says = doctest::Contains("give SolveOptions::gradient the mode direct");
      CHECK_THROWS_WITH_AS(slope(), says, std::invalid_argument);
      CHECK_THROWS_WITH_AS(pushed(), says, std::invalid_argument);
      continue;
    }
    const auto found = gradient_values(slope(), inputs);
    CHECK(found[0].item() == doctest::Approx(in_y0).epsilon(1e-6));
    CHECK(found[1].item() == doctest::Approx(mixed).epsilon(1e-6));
    const Number tangent = pushed();
    CHECK(tangent.item() == doctest::Approx((1 - y0) * y0 * r / (bottom * bottom)).epsilon(1e-7));
    CHECK(gradient_values(tangent, inputs)[0].item() == doctest::Approx(mixed).epsilon(1e-6));
  }
}

TEST_CASE("gradient modes: the gradient of a small multiple of a loss is that multiple") {
  for (const GradientMode* mode : modes()) {
    CAPTURE(std::string(mode->name()));
    Tape<double> tape;
    const Vars<double> inputs{tape.scalar(0.2), tape.scalar(0.0), tape.scalar(1.0),
                              tape.scalar(1.3)};
    const auto field = [&](const Number&, const Number& y) { return inputs[3] * y * (1.0 - y); };
    const Number y = solve(field, inputs[0], inputs[1], inputs[2], options_of(*mode, 0.05)).y;
    for (const double factor : {0x1p-30, 0x1p+30}) {
      std::vector<double> one;
      for (const auto& slope : gradient_values(y, inputs)) one.push_back(slope.item());
      const auto scaled = gradient_values(y * factor, inputs);
      for (std::size_t k = 0; k < one.size(); ++k) CHECK(scaled[k].item() == one[k] * factor);
    }
  }
}

TEST_CASE("gradient modes: as accurate for large states as for small ones") {
  // y' = a y (1 - y / m), y(0) = m / 5: in units of m, whose tolerances are in the same units.
  Logistic exact;
  exact.y0 = 0.2;
  exact.t0 = 0;
  exact.t1 = 6;
  exact.a = 1.3;
  for (const GradientMode* mode : modes()) {
    CAPTURE(std::string(mode->name()));
    for (const double m : {1.0, 1e6}) {
      CAPTURE(m);
      Tape<double> tape;
      const Vars<double> inputs{tape.scalar(0.2 * m), tape.scalar(1.3)};
      const auto field = [&](const Number&, const Number& y) {
        return inputs[1] * y * (1.0 - y / m);
      };
      SolveOptions options = options_of(*mode, 0.01);
      options.rtol = 1e-6;
      options.atol = 1e-6 * m;
      const auto found = gradient_values(solve(field, inputs[0], {0, 6}, options).y, inputs);
      CHECK(found[0].item() == doctest::Approx(exact.gradient()[0]).epsilon(1e-3));
      CHECK(found[1].item() == doctest::Approx(m * exact.gradient()[3]).epsilon(1e-3));
    }
  }
}

TEST_CASE("gradient modes: reversible undoes the steps of every method that can be undone") {
  for (const Method* method : methods()) {
    CAPTURE(std::string(method->name()));
    Tape<double> tape;
    // A pendulum, which suits all of them.
    const Vars<double> inputs{tape.input(Tensor<double>{0.7, 0.2}), tape.scalar(1.4)};
    const auto field = [&](const Number&, const Number& y) {
      return concatenate<double>({part(y, 1), -sin(part(y, 0)) * inputs[1]}, 0);
    };
    SolveOptions options;
    options.method = method;
    options.fixed_step = 0.05;
    const Number exact = solve(field, inputs[0], {0, 3}, options).y;
    options.gradient = &reversible;
    if (!method->is_reversible()) {
      CHECK_THROWS_WITH_AS(solve(field, inputs[0], {0, 3}, options),
                           doctest::Contains("cannot be undone; give the mode reversible a method"),
                           std::invalid_argument);
      continue;
    }
    const Number y = solve(field, inputs[0], {0, 3}, options).y;
    const auto value = [&](const Number& end) {
      std::vector<Tensor<double>> copies;
      for (const TensorView<double>& g : gradient_values(loss_of(end), inputs))
        copies.emplace_back(g);
      return copies;
    };
    const std::vector<Tensor<double>> expected = value(exact);
    const std::vector<Tensor<double>> found = value(y);
    for (std::size_t i = 0; i < 2; ++i) {
      for (Index e = 0; e < found[i].size(); ++e)
        CHECK(found[i].data()[e] == doctest::Approx(expected[i].data()[e]).epsilon(1e-10));
    }
  }
}

TEST_CASE("gradient modes: a field that solves another equation, in every pair of modes") {
  // z' = -a z from 1 to z(1) = exp(-a); y' = -z(1) y.
  constexpr double a = 0.7;
  constexpr double y0 = 1.5;
  const double rate = std::exp(-a);
  const double exact = y0 * std::exp(-rate);
  for (const GradientMode* outer : modes()) {
    for (const GradientMode* inner : modes()) {
      CAPTURE(std::string(outer->name()));
      CAPTURE(std::string(inner->name()));
      Tape<double> tape;
      const Vars<double> inputs{tape.scalar(y0), tape.scalar(a)};
      const Number one = tape.scalar(1.0);
      const auto decay = [&](const Number&, const Number& z) { return -z * inputs[1]; };
      const auto field = [&](const Number&, const Number& y) {
        return -y * solve(decay, one, {0, 1}, options_of(*inner, 0.1)).y;
      };
      const std::string_view name = inner->name();
      const bool is_first_order =
          name == "interpolating" || name == "quadrature" || name == "reversible";
      // The others take derivatives of the field in recorded sweeps.
      const bool sweeps_values = outer == &direct || outer->name() == "checkpointed";
      const auto gradient = [&] {
        const Number y = solve(field, inputs[0], {0, 1}, options_of(*outer, 0.1)).y;
        const auto found = gradient_values(y, inputs);
        return std::pair{found[0].item(), found[1].item()};
      };
      if (is_first_order && !sweeps_values) {
        CHECK_THROWS_WITH_AS(gradient(), doctest::Contains("has reverse sweeps of values only"),
                             std::invalid_argument);
        continue;
      }
      const auto [in_y0, in_a] = gradient();
      CHECK(in_y0 == doctest::Approx(exact / y0).epsilon(1e-6));
      CHECK(in_a == doctest::Approx(exact * rate).epsilon(1e-6));
    }
  }
}

TEST_CASE("gradient modes: Lorenz over many turns is right, or says that it is not") {
  Tape<double> tape;
  const Vars<double> inputs{tape.input(Tensor<double>{1.0, 1.0, 1.0}),
                            tape.input(Tensor<double>{10.0, 28.0, 8.0 / 3})};
  const Problem2 lorenz = problems()[2];
  const auto field = [&](const Number& t, const Number& y) { return lorenz.f(t, y, inputs[1]); };
  const auto gradient = [&](const GradientMode& mode) {
    const Number y = solve(field, inputs[0], {0, 10}, options_of(mode, 1e-3)).y;
    std::vector<double> numbers;
    for (const TensorView<double>& g : gradient_values(loss_of(y), inputs))
      numbers.insert(numbers.end(), g.data(), g.data() + g.shape().size());
    return numbers;
  };
  const std::vector<double> exact = gradient(direct);
  double scale = 0;
  for (const double e : exact) scale = std::max(scale, std::abs(e));
  for (const GradientMode* mode : modes()) {
    CAPTURE(std::string(mode->name()));
    // Steps of the reversible methods grow out of bounds over so long; few snapshots take minutes.
    if (mode == &reversible || mode == &few_snapshots) continue;
    std::vector<double> found;
    try {
      found = gradient(*mode);
    } catch (const SolveFailure& failure) {
      CHECK(failure.report().status == Status::irreversible);
      continue;
    }
    for (std::size_t i = 0; i < exact.size(); ++i)
      CHECK(std::abs(found[i] - exact[i]) < 1e-4 * scale);
  }
}

TEST_CASE("gradient modes: methods that move halves have their order, or are refused") {
  // A mass on a spring of stiffness k, at rest at 1: cos(t sqrt(k)).
  constexpr double k = 4;
  const double slope = -std::sin(std::sqrt(k)) / (2 * std::sqrt(k));
  const auto error = [&](const Method& method, const GradientMode& mode, double h) {
    Tape<double> tape;
    const Number stiffness = tape.scalar(k);
    const auto f = [&](const Number&, const Number& y) {
      return concatenate<double>({part(y, 1), -stiffness * part(y, 0)}, 0);
    };
    SolveOptions options;
    options.method = &method;
    options.gradient = &mode;
    options.fixed_step = h;
    const Number y = solve(f, tape.input(Tensor<double>{1, 0}), {0, 1}, options).y;
    return std::abs(gradient_values(sum(part(y, 0)), {stiffness})[0].item() - slope);
  };
  const Backsolve back_by_another({.backward = tolerances(1e-10, 1e-10)});
  std::vector<const GradientMode*> all = modes();
  all.push_back(&back_by_another);
  for (const Method* method : methods()) {
    if (!method->moves_halves()) continue;
    CAPTURE(std::string(method->name()));
    for (const GradientMode* mode : all) {
      CAPTURE(std::string(mode->name()));
      if (!mode->suits(*method)) {
        CHECK_THROWS_WITH_AS(error(*method, *mode, 0.1),
                             doctest::Contains("is for positions and velocities only"),
                             std::invalid_argument);
        continue;
      }
      const double order = std::log2(error(*method, *mode, 0.1) / error(*method, *mode, 0.05));
      CHECK(order > std::min(method->order(), 4) - 0.3);
    }
  }
}

TEST_CASE("gradient modes: what does not come back is a status, not a gradient") {
  // Leapfrog steps cannot be undone where the force depends on the velocity.
  Tape<double> tape;
  const Number y0 = tape.input(Tensor<double>{0.7, 0.2});
  const auto damped = [](const Number&, const Number& y) {
    return concatenate<double>({part(y, 1), -part(y, 0) - part(y, 1) * 3.0}, 0);
  };
  SolveOptions options;
  options.method = &leapfrog;
  options.fixed_step = 0.05;
  options.gradient = &reversible;
  const Number y = solve(damped, y0, {0, 3}, options).y;
  CHECK_THROWS_WITH_AS(gradient_values(loss_of(y), {y0}),
                       doctest::Contains("did not come back to the state"), SolveFailure);
}

TEST_CASE("gradient modes: parameters that the field binds itself") {
  // y' = -w y.
  for (const GradientMode* mode : modes()) {
    CAPTURE(std::string(mode->name()));
    Tape<double> tape;
    const Parameter<double> w(Tensor<double>(0.7));
    const auto field = [&](const Number&, const Number& y) { return -y * y.tape().bind(w); };
    const Number y = solve(field, tape.scalar(1.5), {0, 2}, options_of(*mode, 0.01)).y;
    CHECK(gradient_values(y, {tape.bind(w)})[0].item() ==
          doctest::Approx(-2 * 1.5 * std::exp(-1.4)).epsilon(1e-6));
  }
  Tape<double> tape;
  const Parameter<double> w(Tensor<double>(0.7));
  SolveOptions options;
  options.gradient = &values_only;
  const auto field = [&](const Number&, const Number& y) { return -y * y.tape().bind(w); };
  const Number y = solve(field, tape.scalar(1.5), {0, 2}, options).y;
  CHECK_THROWS_WITH_AS(gradient_values(y, {tape.bind(w)}), doctest::Contains("kept no steps"),
                       std::invalid_argument);
}

TEST_CASE("gradient modes: the end of a solve that failed has its steps' derivative, or none") {
  // y' = a y^2 ends at t = 1 / (a y0).
  for (const GradientMode* mode : modes()) {
    CAPTURE(std::string(mode->name()));
    Tape<double> tape;
    const Vars<double> inputs{tape.scalar(1.0), tape.scalar(2.0)};
    const auto f = [&](const Number&, const Number& y) { return inputs[1] * square(y); };
    SolveOptions options = options_of(*mode, 0.01);
    options.max_steps = 20;
    const Solution<double> s = solve(f, inputs[0], {0, 1}, options);
    CHECK(s.report.status == Status::max_steps);
    if (mode == &direct || mode == &checkpointed) {
      const double y = 1 / (1 - 2 * s.report.t);
      CHECK(s.y.item() == doctest::Approx(y).epsilon(1e-6));
      CHECK(gradient_values(s.y, inputs)[0].item() == doctest::Approx(y * y).epsilon(1e-4));
      continue;
    }
    for (const Number& input : inputs) {
      CHECK_THROWS_WITH_AS(gradient_values(s.y, {input}),
                           doctest::Contains("this solve did not succeed"), std::invalid_argument);
    }
  }
}

TEST_CASE("gradient modes: in single precision") {
  const Logistic exact{0.2, 0.3, 2.1, 1.7};
  for (const GradientMode* mode : modes()) {
    CAPTURE(std::string(mode->name()));
    Tape<float> tape;
    const Vars<float> inputs{
        tape.scalar(static_cast<float>(exact.y0)), tape.scalar(static_cast<float>(exact.t0)),
        tape.scalar(static_cast<float>(exact.t1)), tape.scalar(static_cast<float>(exact.a))};
    const auto field = [&](const Var<float>&, const Var<float>& y) {
      return inputs[3] * y * (1.0F - y);
    };
    SolveOptions options = options_of(*mode, 0.1);
    options.rtol = options.atol = 1e-5;
    const Var<float> y = solve(field, inputs[0], inputs[1], inputs[2], options).y;
    const auto found = gradient_values(y, inputs);
    for (std::size_t i = 0; i < 4; ++i) {
      CAPTURE(i);
      CHECK(static_cast<double>(found[i].item()) ==
            doctest::Approx(exact.gradient()[i]).epsilon(1e-3));
    }
  }
}

}  // namespace
}  // namespace fjord::ode
