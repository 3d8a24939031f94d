#include "fjord/ode/solve.hpp"

#include <memory>

#include "fjord/autodiff/errors.hpp"
#include "fjord/ode/parts.hpp"
#include "fjord/ode/run.hpp"

namespace fjord::ode {
namespace {

template <class T>
void check_times(const Problem<T>& problem) {
  const auto& [t0, t1] = problem.times;
  if (t0.is_empty() && t1.is_empty()) return;
  require(!t0.is_empty() && !t1.is_empty(), "solve",
          "times must be two variables or none, got one; make the other one by tape.scalar");
  const auto check = [&](const char* name, const Var<T>& time, double number) {
    const NodeShape& shape = problem.y0.tape().node(time, "solve").shape;
    require(shape.rank == 0, "solve", [&] {
      return std::string(name) + " must be a scalar, got " + to_string(time.shape());
    });
    require(time.item() == static_cast<T>(number), "solve", [&] {
      return std::string(name) + " must be the same in span and times, got " +
             short_number(number) + " and " + short_number(static_cast<double>(time.item()));
    });
  };
  check("t0", t0, problem.span.t0);
  check("t1", t1, problem.span.t1);
}

template <class T>
Solution<T> solve_by(const GradientMode& mode, const Problem<T>& problem,
                     const SolveOptions& options) {
  // Recorded steps move along with t0, but saved times and jumps do not.
  const bool moves = mode.has_derivatives() && !problem.times.t1.is_empty();
  const bool has_stops = has_outputs(problem, options) || (moves && !options.jumps.empty());
  if (has_stops && (moves || !mode.gives_outputs())) return solve_in_parts(mode, problem, options);
  return mode.solve(problem, options);
}

// Has the report count the calls of the field from the end of the solve on.
template <class T>
Solution<T> solve_counting(const GradientMode& mode, const Problem<T>& problem,
                           const SolveOptions& options) {
  const auto calls = std::make_shared<std::size_t>(0);
  const Field<T> f = [field = problem.f, calls](const Var<T>& t, const Var<T>& y) {
    ++*calls;
    return field(t, y);
  };
  const auto& [_, y0, span, times, events, on_step, output] = problem;
  Solution<T> solution = solve_by<T>(mode, {f, y0, span, times, events, on_step, output}, options);
  *calls = 0;
  solution.report.calls_in_sweeps = calls;
  return solution;
}

}  // namespace

template <class T>
Solution<T> solve(const Problem<T>& problem, const SolveOptions& options) {
  require(options.gradient != nullptr, "solve", "gradient must be a mode, got a null pointer");
  require(problem.f != nullptr, "solve", "a field is needed, got an empty function");
  check_times(problem);
  const Tape<T>& tape = problem.y0.tape();
  const std::size_t before = tape.used_bytes();
  const GradientMode& mode = *options.gradient;
  Solution<T> solution = mode.keeps_field() ? solve_counting(mode, problem, options)
                                            : solve_by(mode, problem, options);
  solution.report.tape_bytes = tape.used_bytes() - before;
  return solution;
}

template Solution<float> solve(const Problem<float>&, const SolveOptions&);
template Solution<double> solve(const Problem<double>&, const SolveOptions&);

}  // namespace fjord::ode
