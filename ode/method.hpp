/// How one step is made.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fjord/autodiff/var.hpp"
#include "fjord/ode/plain_field.hpp"

namespace fjord::ode {

template <class T>
class NodeSpace;
class PlainSpace;

/// The vectors of a space: Var<T>, or double*.
template <class Space>
struct VectorOf;

template <class T>
struct VectorOf<NodeSpace<T>> {
  using type = Var<T>;
};

template <>
struct VectorOf<PlainSpace> {
  using type = double*;
};

template <class Space>
using Vector = typename VectorOf<Space>::type;

/// Vectors of a step: more than any method here has stages.
inline constexpr std::size_t max_stages = 32;

/// How many vectors a step may hand to the next one, besides its state and slope.
inline constexpr std::size_t max_carry = 4;

/// With the state and the slope.
inline constexpr std::size_t max_kept = max_carry + 2;

/// All that the loop decides of a step.
struct StepPlan {
  StepTimes times;
  double h_last = 0;          ///< of the step before
  bool has_slope = true;      ///< whether the slope at its beginning is known
  bool ends_at_jump = false;  ///< then nothing but the state goes on
  double next_field_t = 0;    ///< where the field is asked at the beginning of the next step
};

/// The local error, where a method estimates it: h times a sum of the step's stages.
struct ErrorEstimate {
  /// One weight for each of the first stages; empty: the method has no estimate.
  std::span<const double> weights = {};
  /// Of a second estimate, of lower order; the error is then e^2 / sqrt(e^2 + e2^2 / 100), of the
  /// norms e and e2 (Hairer's DOP853). Empty: there is none.
  std::span<const double> second = {};
};

/// A step from t to t + h, as a method sees it: its beginning is given, its end is to be written.
///
/// A space holds vectors of one kind (nodes, or plain memory) and computes with them:
///   space.slope(c, y)           f(t + c h, y)
///   space.combine(y, w, k)      y + h (w_1 k_1 + w_2 k_2 + ...)
///   space.move(y, w, a, b)      y + w (b - a)
///   space.move_half(y, w, k, second)  y with one half of its last axis moved by h w k
///   space.linearize(c, w, y, k)  takes M = 1 - w h df/dy at (t + c h, y), where f is k; false if M
///                               is singular or not finite
///   space.correct(y, z)         y + M^-1 (z - y), M a constant: Newton's step from y to y = z(y)
///   space.settle(mark, y)       y as a constant, without the vectors since mark = space.mark()
template <class Space>
struct Step {
  using Vector = ode::Vector<Space>;

  struct Stage {
    Vector y;
    Vector slope;
  };

  Space& space;
  double h;       ///< not 0, but in a solve from t0 to t0
  double h_last;  ///< of the last step
  /// Whether derivatives are taken in h, as in the last step to a t1 that moves.
  bool stretches = false;
  Vector y;        ///< at t
  Vector slope{};  ///< f(t, y); empty if the method does not need it
  /// What the last step handed on, then what this one hands on: past slopes, say. All empty before
  /// the first step, and after a jump of the field.
  std::array<Vector, max_carry> carry{};

  Vector y_next{};                          ///< at t + h
  Vector slope_next{};                      ///< f(t + h, y_next), where the step computes it
  std::array<Vector, max_stages> stages{};  ///< slopes, for the estimate and for output in between
  std::array<Stage, 2> last_stages{};       ///< of methods that show stiffness
  ErrorEstimate error = {};
  /// False: an iteration did not converge, and the step must be shorter; all else is then unused.
  /// Not for a slope or state that is infinite or NaN: a step hands that on in y_next, and the
  /// solve ends with Status::non_finite.
  bool is_solved = true;
};

/// A way to make steps: a constant object without state, which solves share.
///
/// A new one derives from MethodOf and writes its step once, for all kinds of state; its source
/// instantiates it for NodeSpace<float>, NodeSpace<double> and PlainSpace. An iteration decides by
/// itself when it has converged, by space.entries(y), before space.settle(mark, y); two or three
/// corrections after that, with a matrix taken at y, give derivatives.
class Method {
 public:
  constexpr virtual ~Method() = default;

  virtual std::string_view name() const = 0;
  /// What kind of method it is, in the field's terms.
  virtual std::string_view kind() const = 0;
  /// The error of a solve is of the order of the step's length to this power.
  virtual int order() const = 0;
  /// The error estimate of a step is of the order of its length to this power; 0: there is no
  /// estimate, so that the steps must be given (SolveOptions::fixed_step or grid).
  virtual int error_order() const = 0;

  /// Whether the step reads the slope at its beginning.
  virtual bool needs_slope() const { return true; }

  /// Whether it moves the halves of the state's last axis by turns. It has its order only where
  /// they are positions and velocities, and not in a state that holds more next to them.
  virtual bool moves_halves() const { return false; }

  /// Whether it asks for times before or after a step, where a field that jumps is another one.
  virtual bool leaves_step() const { return false; }

  virtual void make(Step<NodeSpace<float>>& step) const = 0;
  virtual void make(Step<NodeSpace<double>>& step) const = 0;
  virtual void make(Step<PlainSpace>& step) const = 0;

  /// The state at the fraction `part` of a step that was made: dense output.
  virtual Var<float> between(Step<NodeSpace<float>>& step, double part) const = 0;
  virtual Var<double> between(Step<NodeSpace<double>>& step, double part) const = 0;
  virtual double* between(Step<PlainSpace>& step, double part) const = 0;

  /// Whether steps can be undone: see undo.
  virtual bool is_reversible() const = 0;

  /// From the state at the end of a step and what it handed on, y_next and carry, sets y and carry
  /// to those before it, up to rounding. Does nothing unless is_reversible().
  virtual void undo(Step<NodeSpace<float>>& step) const = 0;
  virtual void undo(Step<NodeSpace<double>>& step) const = 0;

  /// The error of dense output is of the order of the step's length to this power, or to that of
  /// the method if it is less.
  virtual int dense_order() const { return 3; }

  /// Whether the last two stages are at one time, at the end of the step, so that they show a
  /// stiff field.
  virtual bool shows_stiffness() const { return false; }

 protected:
  constexpr Method() = default;
  Method(const Method&) = default;
  Method& operator=(const Method&) = default;
};

/// Hermite's cubic through the states and slopes at both ends of a step; the slope at its end is
/// computed where the step did not.
template <class Space>
Vector<Space> hermite(Step<Space>& step, double part);

/// Has `make`, `between` and `undo` call the derived class's templates `step`, `state_between` and
/// `step_back`. Without the second, dense output is Hermite's; without the last, the method is not
/// reversible.
template <class Derived>
class MethodOf : public Method {
 public:
  void make(Step<NodeSpace<float>>& step) const final { self().step(step); }

  void make(Step<NodeSpace<double>>& step) const final { self().step(step); }

  void make(Step<PlainSpace>& step) const final { self().step(step); }

  Var<float> between(Step<NodeSpace<float>>& step, double part) const final {
    return self().state_between(step, part);
  }

  Var<double> between(Step<NodeSpace<double>>& step, double part) const final {
    return self().state_between(step, part);
  }

  double* between(Step<PlainSpace>& step, double part) const final {
    return self().state_between(step, part);
  }

  bool is_reversible() const final {
    return requires(const Derived& method, Step<NodeSpace<double>>& step) {
      method.step_back(step);
    };
  }

  void undo(Step<NodeSpace<float>>& step) const final { undo_if_reversible(step); }

  void undo(Step<NodeSpace<double>>& step) const final { undo_if_reversible(step); }

  template <class Space>
  Vector<Space> state_between(Step<Space>& step, double part) const {
    return hermite(step, part);
  }

 private:
  template <class Space>
  void undo_if_reversible([[maybe_unused]] Step<Space>& step) const {
    if constexpr (requires { self().step_back(step); }) self().step_back(step);
  }

  const Derived& self() const { return static_cast<const Derived&>(*this); }
};

/// Checks that an axis of a state has two halves, positions and velocities.
///
/// Errors:  std::invalid_argument if its size is odd.
void check_halves(Index size);

/// Every method of the library.
std::span<const Method* const> methods();

/// The method of that name.
///
/// Errors:  std::invalid_argument, which lists all names, if there is none.
const Method& method_named(std::string_view name);

}  // namespace fjord::ode
