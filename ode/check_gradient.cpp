#include "fjord/ode/check_gradient.hpp"

#include <cmath>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/random.hpp"
#include "fjord/ode/solve.hpp"
#include "fjord/ode/solve_operation.hpp"

namespace fjord::ode {
namespace {

template <class T>
std::vector<Tensor<T>> gradients(const Problem<T>& problem, SolveOptions options,
                                 const GradientMode& mode, const Vars<T>& inputs, Report& report) {
  Tape<T>& tape = problem.y0.tape();
  const RewindScope<T> scope(tape);
  options.gradient = &mode;
  options.save_at = {};
  options.save_steps = false;
  const Solution<T> solution = solve(problem, options);
  report = solution.report;
  const Var<T> y = solved(solution, std::string(mode.name()).c_str());
  std::vector<T> weights(static_cast<std::size_t>(y.shape().size()));
  RandomKey(1).normal(std::span(weights));
  const Tensor<T> cotangent = Tensor<T>::from(y.shape(), weights);
  const TensorView<T> view = cotangent;
  std::vector<Tensor<T>> copies;
  for (const TensorView<T>& gradient :
       pullback_values<T>(std::span(&y, 1), std::span(&view, 1), inputs))
    copies.emplace_back(gradient);
  return copies;
}

template <class T>
double relative_difference(const Tensor<T>& a, const Tensor<T>& b) {
  double off = 0;
  double size = 0;
  for (Index i = 0; i < a.size(); ++i) {
    const auto exact = static_cast<double>(b.data()[i]);
    off = std::hypot(off, static_cast<double>(a.data()[i]) - exact);
    size = std::hypot(size, exact);
  }
  return off == 0 ? 0 : off / size;
}

}  // namespace

double GradientComparison::largest() const {
  double result = 0;
  const auto take = [&](double difference) {
    if (std::isnan(difference) || difference > result) result = difference;
  };
  for (const double difference : captured) take(difference);
  for (const double difference : {y0, t0, t1}) take(difference);
  return result;
}

template <class T>
GradientComparison check_gradient(const Problem<T>& problem, const SolveOptions& options,
                                  const GradientMode& other) {
  require(options.gradient != nullptr, "check_gradient",
          "gradient must be a mode, got a null pointer");
  require(problem.f != nullptr, "check_gradient", "a field is needed, got an empty function");
  Vars<T> inputs = captured_at_start(problem);
  Tape<T>& tape = problem.y0.tape();
  const RewindScope<T> scope(tape);
  TimeVars<T> times = problem.times;
  if (times.t0.is_empty()) {
    times = {tape.scalar(static_cast<T>(problem.span.t0)),
             tape.scalar(static_cast<T>(problem.span.t1))};
  }
  const Problem<T> moving{problem.f, problem.y0, problem.span, times};
  inputs.insert(inputs.end(), {problem.y0, times.t0, times.t1});
  GradientComparison result;
  const auto found = gradients(moving, options, *options.gradient, inputs, result.report);
  const auto expected = gradients(moving, options, other, inputs, result.other_report);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    result.captured.push_back(relative_difference(found[i], expected[i]));
  for (double* difference : {&result.t1, &result.t0, &result.y0}) {
    *difference = result.captured.back();
    result.captured.pop_back();
  }
  return result;
}

#define FJORD_INSTANTIATE(T)                                                         \
  template GradientComparison check_gradient(const Problem<T>&, const SolveOptions&, \
                                             const GradientMode&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::ode
