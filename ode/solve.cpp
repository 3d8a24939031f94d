#include "fjord/ode/solve.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/ode/parts.hpp"
#include "fjord/ode/run.hpp"

namespace fjord::ode {

template <class T>
Solution<T> solve(const Problem<T>& problem, const SolveOptions& options) {
  require(options.gradient != nullptr, "solve", "gradient must be a mode, got a null pointer");
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
