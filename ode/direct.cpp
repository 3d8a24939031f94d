#include "fjord/ode/direct.hpp"

#include <string>

#include "fjord/autodiff/errors.hpp"
#include "fjord/ode/gradient_modes.hpp"
#include "fjord/ode/run.hpp"
#include "fjord/ode/solve_operation.hpp"

namespace fjord::ode {
namespace {

// The result of a solve that kept no steps, as a function of all that it was computed from.
template <class T>
struct Refusing {
  [[noreturn]] static void refuse(const RuleNode<T>& rule) {
    fail("solve", std::string("this solve kept no steps, so that no derivative runs through "
                              "it; ") +
                      static_cast<const char*>(rule.node().attributes));
  }

  static void pullback(Reverse<T>& rule) { refuse(rule); }

  static bool pushforward(Forward<T>& rule) { refuse(rule); }

  static void pullback_values(ReverseKernel<T>& kernel) { refuse(kernel); }

  static constexpr Operation<T> row{"solve", pullback, pushforward, pullback_values};
};

}  // namespace

template <class T>
Solution<T> Direct::solve_as(const Problem<T>& problem, const SolveOptions& options) const {
  return run(problem, options, Recording::steps);
}

template <class T>
Solution<T> ValuesOnly::solve_as(const Problem<T>& problem, const SolveOptions& options) const {
  WatchedSolve<T> solve = solve_watched(problem, options);
  Solution<T>& solution = solve.values;
  Tape<T>& tape = problem.y0.tape();
  const auto refuse = [&](Var<T>& leaf) {
    const Node<T> node = tape.node(leaf.index());
    const auto [y, numbers] = append_operation<T>(
        tape, Refusing<T>::row, std::span<const Var<T>>(solve.inputs), node.shape, advice_);
    std::copy_n(node.value, node.shape.size, numbers);
    leaf = y;
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
