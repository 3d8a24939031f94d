#include "fjord/ode/solve.hpp"

#include "fjord/autodiff/errors.hpp"

namespace fjord::ode {

template <class T>
Solution<T> solve(const Problem<T>& problem, const SolveOptions& options) {
  require(options.gradient != nullptr, "solve", "gradient must be a mode, got a null pointer");
  return options.gradient->solve(problem, options);
}

template Solution<float> solve(const Problem<float>&, const SolveOptions&);
template Solution<double> solve(const Problem<double>&, const SolveOptions&);

}  // namespace fjord::ode
