#include "fjord/bench/ode_modes.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/layer.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/bench/trained_flow.hpp"
#include "fjord/ode/methods.hpp"
#include "fjord/ode/solve.hpp"

namespace fjord::bench {
namespace {

constexpr int rounds = 15;

// Seconds of several functions, by turns, as a shared machine has slow and fast seconds.
std::vector<double> seconds_by_turns(const std::vector<std::function<void()>>& functions) {
  std::vector<double> best(functions.size(), 1e300);
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < functions.size(); ++i)
      best[i] = std::min(best[i], shortest_seconds(2, functions[i]));
  }
  return best;
}

// Peak memory that a function needs in a process of its own, in bytes.
double peak_bytes(const std::function<void()>& f) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    f();
    _exit(0);
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  if (status != 0) std::exit(1);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

// The adjoint, which adds up the calls of fields by sweeps through all of its solves.
class CountingBacksolve final : public ode::GradientModeOf<CountingBacksolve> {
 public:
  explicit CountingBacksolve(bool seminorm) : mode_({.seminorm = seminorm}) {}

  std::string_view name() const override { return "counting"; }

  std::string_view summary() const override { return mode_.summary(); }

  std::string_view memory() const override { return mode_.memory(); }

  template <class T>
  ode::Solution<T> solve_as(const ode::Problem<T>& problem,
                            const ode::SolveOptions& options) const {
    const ode::Field<T> f = [this, f = problem.f](const Var<T>& t, const Var<T>& y) {
      ++count_;
      return f(t, y);
    };
    const std::size_t before = count_;
    ode::Solution<T> solution =
        mode_.solve_as<T>({f, problem.y0, problem.span, problem.times}, options);
    count_ = before;
    return solution;
  }

  std::size_t count() const { return count_; }

 private:
  ode::Backsolve mode_;
  mutable std::size_t count_ = 0;
};

// Of the demo's training step.
double backward_evaluations(TrainedFlow& flow, bool seminorm) {
  const CountingBacksolve mode(seminorm);
  constexpr int steps = 16;
  for (int i = 0; i < steps; ++i) flow.step(i, mode);
  return static_cast<double>(mode.count()) / steps;
}

// Of a neural differential equation of 20 rows of 2 and a hidden layer of 50.
double backward_evaluations(bool seminorm) {
  Tape<double> tape;
  std::uint64_t key = 0;
  const auto normal = [&](const Shape& shape, double deviation) {
    Tensor<double> numbers = Tensor<double>::zeros(shape);
    RandomKey(++key).normal(std::span(numbers.data(), static_cast<std::size_t>(numbers.size())));
    for (Index i = 0; i < numbers.size(); ++i) numbers.data()[i] *= deviation;
    return tape.input(numbers);
  };
  const Vars<double> inputs{normal({50, 2}, 2), normal({50}, 1), normal({2, 50}, 1),
                            normal({2}, 0.1), normal({20, 2}, 1)};
  const auto f = [&](const Var<double>&, const Var<double>& y) {
    return affine(tanh(affine(y, inputs[0], inputs[1])), inputs[2], inputs[3]);
  };
  const ode::Backsolve mode({.seminorm = seminorm});
  ode::SolveOptions options;
  options.rtol = 1e-6;
  options.atol = 1e-8;
  options.gradient = &mode;
  const ode::Solution<double> s = ode::solve(f, inputs.back(), {0, 5}, options);
  gradient_values(mean(square(s.y)), inputs);
  return static_cast<double>(s.report.sweep_evaluations());
}

}  // namespace

void compare_training_steps() {
  TrainedFlow flow(8, 1, 320);
  std::vector<std::string> names;
  std::vector<std::function<void()>> steps;
  for (const ode::GradientMode* mode : ode::gradient_modes()) {
    // Neither the method of the demo nor the number of its weights suits every mode.
    if (!mode->has_derivatives() || mode == &ode::forward_sensitivity ||
        !mode->suits(ode::dormand_prince))
      continue;
    names.emplace_back(mode->name());
    steps.emplace_back([&flow, mode] { flow.step(0, *mode); });
  }
  const std::vector<double> seconds = seconds_by_turns(steps);
  std::printf("demo training step, one thread\n");
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::printf("  %-14s %7.3f ms; ratio to %s %.2f\n", names[i].c_str(), seconds[i] * 1e3,
                names[0].c_str(), seconds[i] / seconds[0]);
  }
  const auto print = [](const char* what, double with, double without) {
    std::printf(
        "  adjoint, backward evaluations of %s: %.0f with the seminorm, %.0f without; "
        "ratio %.2f\n",
        what, with, without, with / without);
  };
  print("a step", backward_evaluations(flow, true), backward_evaluations(flow, false));
  print("a neural ODE", backward_evaluations(true), backward_evaluations(false));
}

void compare_separate_rows() {
  constexpr Index count = 1000;
  Tensor<double> start = Tensor<double>::zeros({count, 3});
  for (Index i = 0; i < count; ++i) {
    const double part = static_cast<double>(i) / (count - 1);
    start.data()[i] = 2 * std::cos(40 * part);
    start.data()[count + i] = 2 * std::sin(40 * part);
    start.data()[2 * count + i] = 0.1 * std::pow(1000, part * part * part);
  }
  const auto field = [](const Var<double>&, const Var<double>& y) {
    const Var<double> x = slice(y, 1, 0, 1);
    const Var<double> v = slice(y, 1, 1, 2);
    const Var<double> mu = slice(y, 1, 2, 3);
    return concatenate<double>({v, mu * (1.0 - square(x)) * v - x, mu * 0.0}, 1);
  };
  Tape<double> tape;
  ode::Report shared;
  ode::Report separate;
  const auto solved = [&](bool separate_rows) {
    tape.clear();
    ode::SolveOptions options;
    options.rtol = options.atol = 1e-6;
    // No row is less accurate in company than on its own.
    options.norm = ode::ErrorNorm::largest_row;
    options.max_steps = 1'000'000;
    options.separate_rows = separate_rows;
    options.gradient = &ode::values_only;
    return ode::solve(ode::Field<double>(field), tape.input(start), {0, 5}, options).report;
  };
  const double shared_seconds = shortest_seconds(2, [&] { shared = solved(false); });
  const double separate_seconds = shortest_seconds(2, [&] { separate = solved(true); });
  std::printf("1000 van der Pol oscillators, stiffness 0.1 to 100, t 0..5\n");
  std::printf("  one shared step:     %.3f s, %zu evaluations\n", shared_seconds,
              shared.evaluations);
  std::printf("  steps of their own:  %.3f s, %zu evaluations; ratio %.2f\n", separate_seconds,
              separate.evaluations, separate_seconds / shared_seconds);
}

void compare_memory() {
  constexpr Index size = 100'000;
  const ode::Checkpointed snapshots(8);
  const auto gradient = [](const ode::GradientMode* mode, int steps) {
    Tape<float> tape;
    const Var<float> y0 = tape.input(Tensor<float>::ones({size}));
    if (mode == nullptr) return;
    ode::SolveOptions options;
    options.gradient = mode;
    options.method = mode->suits(ode::dormand_prince)
                         ? static_cast<const ode::Method*>(&ode::midpoint)
                         : &ode::reversible_midpoint;
    options.fixed_step = 1.0 / steps;
    const auto decay = [](const Var<float>&, const Var<float>& y) { return -y; };
    gradient_values(sum(ode::solve(decay, y0, {0, 1}, options).y), {y0});
  };
  const double start = peak_bytes([&] { gradient(nullptr, 1); });
  std::printf("peak memory of a solve of 100,000 numbers with its gradient, beyond the start\n");
  double direct = 0;
  const auto compare = [&](const std::string& name, const ode::GradientMode& mode) {
    const double few = peak_bytes([&] { gradient(&mode, 250); }) - start;
    const double many = peak_bytes([&] { gradient(&mode, 1000); }) - start;
    if (&mode == &ode::direct) direct = many;
    std::printf("  %-24s %7.1f MB for 250 steps, %7.1f MB for 1000; ratio to direct %.4f\n",
                name.c_str(), few * 1e-6, many * 1e-6, many / direct);
  };
  for (const ode::GradientMode* mode : ode::gradient_modes()) {
    // Sensitivities of so many numbers in each other are too many.
    if (mode->has_derivatives() && mode != &ode::forward_sensitivity)
      compare(std::string(mode->name()), *mode);
  }
  compare("checkpointed, 8 snapshots", snapshots);
}

}  // namespace fjord::bench
