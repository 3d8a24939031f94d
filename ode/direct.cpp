#include "fjord/ode/direct.hpp"

#include "fjord/ode/gradient_modes.hpp"
#include "fjord/ode/run.hpp"
#include "fjord/ode/solve_operation.hpp"

namespace fjord::ode {
template <class T>
Solution<T> Direct::solve_as(const Problem<T>& problem, const SolveOptions& options) const {
  return run(problem, options, Recording::steps);
}

template <class T>
Solution<T> ValuesOnly::solve_as(const Problem<T>& problem, const SolveOptions& options) const {
  WatchedSolve<T> solve = solve_watched(problem, options);
  Solution<T>& solution = solve.values;
  const auto refuse = [&](Var<T>& leaf) {
    leaf = without_derivative(
        leaf, solve.inputs,
        {"this solve kept no steps, so that no derivative runs through it", advice_});
  };
  refuse(solution.y);
  for (Var<T>& state : solution.states) refuse(state);
  for (Occurrence<T>& occurrence : solution.occurrences) {
    refuse(occurrence.t);
    refuse(occurrence.y);
  }
  return std::move(solve.values);
}

#define FJORD_INSTANTIATE(T)                                                           \
  template Solution<T> Direct::solve_as(const Problem<T>&, const SolveOptions&) const; \
  template Solution<T> ValuesOnly::solve_as(const Problem<T>&, const SolveOptions&) const;
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

constinit const Direct direct;
constinit const ValuesOnly values_only;

}  // namespace fjord::ode
