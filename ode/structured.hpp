/// Solves of structured states: several variables that move together.
#pragma once

#include "fjord/autodiff/structure.hpp"
#include "fjord/ode/packing.hpp"
#include "fjord/ode/solve.hpp"

namespace fjord::ode {

/// As Solution, of a structure.
template <Structure S>
struct StructuredSolution {
  S y;
  Report report;
  std::vector<double> times = {};
  std::vector<S> states = {};
};

/// Structures that are solved for as one state: not a Var, which is one.
template <class S>
concept StructuredState = Structure<S> && !std::is_same_v<S, Var<ScalarOf<S>>>;

/// Solves, without events and functions after steps, for a structure of variables (structure.hpp),
/// such as a pair of positions and velocities, or of a state and a running integral over it, whose
/// slope is what is integrated.
///
/// Shapes:  f(t, y) returns a structure like y, each variable of the same shape.
/// Errors:  as `solve`; std::invalid_argument if a shape changes.
/// Note:    The solver's state is the list of all entries, on which norms and tolerances of entries
///          are: structure.hpp gives the order of the variables, of which each is in the order C.
template <class F, StructuredState S>
StructuredSolution<S> solve(const F& f, const S& y0, TimeSpan span,
                            const SolveOptions& options = {}) {
  using T = ScalarOf<S>;
  const S start = on_tape(y0, tape_of(y0));
  std::vector<Shape> shapes;
  for (const Var<T>& var : vars_of(start)) shapes.push_back(var.shape());
  const Field<T> packed_field = [f, start, shapes](const Var<T>& t, const Var<T>& packed) {
    const S slope = on_tape(f(t, with_vars(start, unpack(packed, shapes))), t.tape());
    const Vars<T> slopes = vars_of(slope);
    require(slopes.size() == shapes.size(), "solve", [&] {
      return "the field must return as many variables as its state has, " +
             std::to_string(shapes.size()) + ", got " + std::to_string(slopes.size());
    });
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      require(slopes[i].shape() == shapes[i], "solve", [&] {
        return "the field must return the shapes of its state, got " +
               to_string(slopes[i].shape()) + " in place of " + to_string(shapes[i]);
      });
    }
    return pack(slopes);
  };
  Solution<T> solution = solve(packed_field, pack(vars_of(start)), span, options);
  const auto structured = [&](const Var<T>& packed) {
    return with_vars(start, unpack(packed, shapes));
  };
  StructuredSolution<S> result{structured(solution.y), solution.report, std::move(solution.times)};
  for (const Var<T>& state : solution.states) result.states.push_back(structured(state));
  return result;
}

}  // namespace fjord::ode
