/// States as nodes: what steps compute with when a solve runs on a tape.
#pragma once

#include <memory>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/tape.hpp"
#include "fjord/ode/error_norm.hpp"
#include "fjord/ode/field.hpp"
#include "fjord/ode/method.hpp"
#include "fjord/ode/newton_matrix.hpp"
#include "fjord/ode/problem.hpp"

namespace fjord::ode {

/// Evaluates f.
///
/// Errors:  std::invalid_argument if the result does not have the shape of y, or is not on its
///          tape.
template <class T>
Var<T> evaluate(const Field<T>& f, const Var<T>& t, const Var<T>& y);

template <class T>
class StepAgain;

/// What of a solve stays on the tape.
enum class Recording {
  steps,   ///< all nodes
  states,  ///< each step as one operation, which sweeps make again
  none,    ///< what is kept after each step, as leaves, until the next one
};

/// See Step. Vectors are nodes of one tape.
template <class T>
class NodeSpace final {
 public:
  using Number = T;
  using Mark = typename Tape<T>::Mark;

  /// Note:    f must outlive the space.
  NodeSpace(const Field<T>& f, const Var<T>& y0, const TimeVars<T>& times, Recording recording);
  ~NodeSpace();
  NodeSpace(const NodeSpace&) = delete;
  NodeSpace& operator=(const NodeSpace&) = delete;

  /// Begins to try a step from a list of what goes on to it: see StepMaker.
  void open(const Method& method, const StepPlan& plan, std::span<const Var<T>* const> before);

  static bool is_empty(const Var<T>& vector) { return vector.is_empty(); }

  /// Begins a step; the last one stretches as t1 moves.
  void begin_step(const StepTimes& times);

  Var<T> slope(double c, const Var<T>& y) {
    ++evaluations_;
    return evaluate(f_, time_at(times_.stage(c), moves_ ? c : 0), y);
  }

  /// f(t, y) between steps.
  Var<T> slope_at(double t, const Var<T>& y) {
    ++evaluations_;
    return evaluate(f_, time_at(t, 0), y);
  }

  Var<T> combine(const Var<T>& y, std::span<const double> weights,
                 std::span<const Var<T>> slopes) const {
    return add_combination<T>(y, h_node_, weights, slopes);
  }

  Var<T> move(const Var<T>& y, double weight, const Var<T>& a, const Var<T>& b) const {
    return y + (b - a) * static_cast<T>(weight);
  }

  /// y with the first or second half of its last axis moved by weight h times that of the slope.
  Var<T> move_half(const Var<T>& y, double weight, const Var<T>& slope, bool second) const;

  /// Takes the matrix 1 - weight h df/dy at the fraction c of the step and y, where f is `there`.
  bool linearize(double c, double weight, const Var<T>& y, const Var<T>& there);

  /// Newton's step to the solution of y = image(y), with the matrix that was taken last.
  Var<T> correct(const Var<T>& y, const Var<T>& image) const {
    return y + divide<T>(image - y, newton_matrix_);
  }

  /// The vector as a constant; ends all others since the mark.
  Var<T> settle(const Mark& mark, const Var<T>& vector);

  /// Whether derivatives are taken in the length of the step.
  bool stretches() const { return moves_; }

  std::size_t evaluations() const { return evaluations_; }

  Mark mark() const { return tape_.mark(); }

  void rewind(const Mark& mark) { tape_.rewind(mark); }

  /// Keeps `vectors`, the only ones that are needed from now on.
  void keep(std::span<Var<T>* const> vectors);

  const T* numbers(const Var<T>& x) const { return tape_.node(x, "solve").value; }

  /// Those of each of some vectors, in a list that may be in `memory`.
  std::span<const T* const> numbers(std::span<const Var<T>> xs, std::span<const T*> memory) const {
    for (std::size_t i = 0; i < xs.size(); ++i) memory[i] = numbers(xs[i]);
    return memory.first(xs.size());
  }

  Entries<T> entries(const Var<T>& x) const {
    const NodeShape shape = tape_.node(x, "solve").shape;
    return {numbers(x), shape.size, shape.rank == 0 ? shape.size : shape[0]};
  }

 private:
  // The time t as a node; t moves along with t0, and on the last step away from it towards t1.
  Var<T> time_at(double t, double moved_by_t1);

  const Field<T>& f_;
  Tape<T>& tape_;
  TimeVars<T> time_vars_;
  Recording recording_;
  NodeShape shape_;
  std::unique_ptr<StepAgain<T>> step_again_;
  // Without recording, what is kept is below the mark that every step rewinds to, in two banks: the
  // new ones must not overwrite the old.
  std::array<T*, 2 * max_kept> buffers_{};
  std::size_t bank_ = 0;
  Mark base_;
  StepTimes times_;
  bool moves_ = false;  // whether this step's length is one that derivatives are taken in
  Var<T> h_node_;
  std::shared_ptr<const NewtonMatrix<T>> newton_matrix_;
  std::size_t evaluations_ = 0;
};

}  // namespace fjord::ode
