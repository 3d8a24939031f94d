#include "fjord/ode/solve.hpp"

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

}  // namespace

template <class T>
Solution<T> solve(const Problem<T>& problem, const SolveOptions& options) {
  require(options.gradient != nullptr, "solve", "gradient must be a mode, got a null pointer");
  check_times(problem);
  const GradientMode& mode = *options.gradient;
  // Recorded steps move along with t0, but saved times and jumps do not; separate rows pass saved
  // times each in its own step.
  const bool moves = mode.has_derivatives() && !problem.times.t1.is_empty();
  const bool has_stops = has_outputs(problem, options) || (moves && !options.jumps.empty());
  if (has_stops && (moves || options.separate_rows || !mode.gives_outputs()))
    return solve_in_parts(mode, problem, options);
  return mode.solve(problem, options);
}

template Solution<float> solve(const Problem<float>&, const SolveOptions&);
template Solution<double> solve(const Problem<double>&, const SolveOptions&);

}  // namespace fjord::ode
