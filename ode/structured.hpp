/// Solves of structured states: several variables that move together.
#pragma once

#include "fjord/autodiff/structure.hpp"
#include "fjord/ode/packing.hpp"
#include "fjord/ode/solve.hpp"

namespace fjord::ode {

/// As Occurrence, of a structure.
template <Structure S>
struct StructuredOccurrence {
  std::size_t event;  ///< its place in the list of events
  Var<ScalarOf<S>> t;
  S y;
};

/// As Solution, of a structure.
template <Structure S>
struct StructuredSolution {
  S y;
  Report report;
  std::vector<double> times = {};
  std::vector<S> states = {};
  std::vector<StructuredOccurrence<S>> occurrences = {};
};

/// As Event, of a structure.
template <Structure S>
struct StructuredEvent {
  std::function<Var<ScalarOf<S>>(const Var<ScalarOf<S>>& t, const S& y)> function;
  Crossing crossing = Crossing::any;
  bool is_terminal = false;
};

/// What to watch in a solve for a structure: see Problem.
template <Structure S>
struct StructuredWatch {
  std::vector<StructuredEvent<S>> events = {};
  std::function<bool(double t, const S& y)> on_step = {};
};

/// Structures that are solved for as one state: not a Var, which is one.
template <class S>
concept StructuredState = Structure<S> && !std::is_same_v<S, Var<ScalarOf<S>>>;

/// A structure and the list of its entries that is solved for in its place.
template <StructuredState S>
class PackedState final {
 public:
  using T = ScalarOf<S>;

  explicit PackedState(const S& y0) : start_(on_tape(y0, tape_of(y0))) {
    for (const Var<T>& var : vars_of(start_)) shapes_.push_back(var.shape());
  }

  Var<T> packed() const { return pack(vars_of(start_)); }

  S unpacked(const Var<T>& packed) const { return with_vars(start_, unpack(packed, shapes_)); }

  /// f(t, unpacked(y)), packed.
  template <class F>
  Field<T> field(const F& f) const {
    return [f, state = *this](const Var<T>& t, const Var<T>& packed) {
      const S slope = on_tape(f(t, state.unpacked(packed)), t.tape());
      return pack(state.checked(vars_of(slope)));
    };
  }

 private:
  Vars<T> checked(const Vars<T>& slopes) const {
    require(slopes.size() == shapes_.size(), "solve", [&] {
      return "the field must return as many variables as its state has, " +
             std::to_string(shapes_.size()) + ", got " + std::to_string(slopes.size());
    });
    for (std::size_t i = 0; i < shapes_.size(); ++i) {
      require(slopes[i].shape() == shapes_[i], "solve", [&] {
        return "the field must return the shapes of its state, got " +
               to_string(slopes[i].shape()) + " in place of " + to_string(shapes_[i]);
      });
    }
    return slopes;
  }

  S start_;
  std::vector<Shape> shapes_;
};

/// Solves for a structure of variables (structure.hpp), such as a pair of positions and velocities,
/// or of a state and a running integral over it, whose slope is what is integrated.
///
/// Shapes:  f(t, y) returns a structure like y, each variable of the same shape.
/// Errors:  as `solve`; std::invalid_argument if a shape changes, or with separate_rows.
/// Note:    The solver's state is the list of all entries, on which norms and tolerances of entries
///          are: structure.hpp gives the order of the variables, of which each is in the order C.
template <class F, StructuredState S>
StructuredSolution<S> solve(const F& f, const S& y0, TimeSpan span,
                            const SolveOptions& options = {},
                            const StructuredWatch<S>& watch = {}) {
  using T = ScalarOf<S>;
  require(!options.separate_rows, "solve",
          "separate_rows needs a state that is one tensor, the rows along its axis 0, got a "
          "structure of variables");
  const PackedState<S> state(y0);
  const Field<T> field = state.field(f);
  Problem<T> problem{field, state.packed(), span};
  for (const StructuredEvent<S>& event : watch.events) {
    require(event.function != nullptr, "solve", "an event needs a function, got an empty one");
    const auto packed_function = [&](const Var<T>& t, const Var<T>& y) {
      return event.function(t, state.unpacked(y));
    };
    problem.events.push_back({packed_function, event.crossing, event.is_terminal});
  }
  if (watch.on_step)
    problem.on_step = [&](double t, const Var<T>& y) {
      return watch.on_step(t, state.unpacked(y));
    };
  Solution<T> solution = solve(problem, options);
  StructuredSolution<S> result{state.unpacked(solution.y), solution.report,
                               std::move(solution.times)};
  for (const Var<T>& y : solution.states) result.states.push_back(state.unpacked(y));
  for (const Occurrence<T>& found : solution.occurrences)
    result.occurrences.push_back({found.event, found.t, state.unpacked(found.y)});
  return result;
}

}  // namespace fjord::ode
