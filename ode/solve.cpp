#include "fjord/ode/solve.hpp"

#include <cmath>
#include <limits>
#include <sstream>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/ode/step.hpp"

namespace fjord::ode {
namespace {

std::string number(double value) {
  std::ostringstream text;
  text.precision(9);
  text << value;
  return text.str();
}

template <class T>
void check(TimeSpan span, const SolveOptions& options) {
  require(std::isfinite(span.t0) && std::isfinite(span.t1), "solve", [&] {
    return "t0 and t1 must be finite, got " + number(span.t0) + " and " + number(span.t1);
  });
  require(options.rtol >= 0 && std::isfinite(options.rtol), "solve",
          [&] { return "rtol must be at least 0, got " + number(options.rtol); });
  require(static_cast<T>(options.atol) > 0 && std::isfinite(options.atol), "solve", [&] {
    return "atol must be positive in the precision of the state, got " + number(options.atol);
  });
  require(!options.first_step || (*options.first_step > 0 && std::isfinite(*options.first_step)),
          "solve",
          [&] { return "first_step must be positive, got " + number(*options.first_step); });
  require(options.max_steps > 0, "solve", "max_steps must be positive, got 0");
}

// The times of a solve as nodes: constants, or functions of the Vars that derivatives are taken in.
template <class T>
struct TimeVars {
  Var<T> t0;
  Var<T> t1;
};

// A solve under way: the state, the slope there, and the step to try next.
template <class T>
class Integration final {
 public:
  Integration(const Field<T>& f, const Var<T>& y0, TimeSpan span, const SolveOptions& options,
              const TimeVars<T>& vars, bool records)
      : f_(f),
        tape_(y0.tape()),
        span_(span),
        options_(options),
        vars_(vars),
        records_(records),
        y_(y0) {
    check<T>(span, options);
    report_.t = span.t0;
    if (!records_) move_to_buffers();
  }

  Solution<T> run() {
    if (span_.t0 != span_.t1) {
      integrate();
    } else if (!vars_.t1.is_empty()) {
      stand_still();
    }
    return {y_, report_};
  }

 private:
  struct Step {
    Stages<T> stages;
    Var<T> y;
    double error;
  };

  void integrate() {
    slope_ = evaluate_at(time_at(span_.t0), y_);
    if (!is_finite(y_) || !is_finite(slope_)) return stop(Status::non_finite);
    h_ = std::copysign(options_.first_step.value_or(0), span_.t1 - span_.t0);
    if (!options_.first_step) choose_first_step();
    while (report_.t != span_.t1) {
      if (report_.accepted + report_.rejected == options_.max_steps) return stop(Status::max_steps);
      if (is_vanishing())
        return stop(std::isfinite(last_error_) ? Status::step_too_small : Status::non_finite);
      const bool is_last = fit_step();
      const typename Tape<T>::Mark before = tape_.mark();
      const Step step = take_step(is_last);
      last_error_ = step.error;
      if (step.error <= 1) {
        accept(step, is_last);
      } else {
        tape_.rewind(before);
        reject(step);
      }
    }
  }

  // A step of no length: the state is what it was, but moves with the times.
  void stand_still() {
    slope_ = evaluate_at(time_at(span_.t0), y_);
    const Step step = take_step(true);
    if (!std::isfinite(step.error)) return stop(Status::non_finite);
    accept(step, true);
  }

  Var<T> evaluate_at(const Var<T>& t, const Var<T>& y) {
    ++report_.evaluations;
    return evaluate(f_, t, y);
  }

  void choose_first_step() {
    const double direction = std::copysign(1.0, span_.t1 - span_.t0);
    const double length = std::abs(span_.t1 - span_.t0);
    const typename Tape<T>::Mark before = tape_.mark();
    const double step =
        starting_step(scaled_norm(options_, y_, y_), scaled_norm(options_, slope_, y_),
                      options_.method->order, length, [&](double h) {
                        const Var<T> trial = y_ + slope_ * static_cast<T>(direction * h);
                        const Var<T> there = evaluate_at(
                            tape_.scalar(static_cast<T>(span_.t0 + direction * h)), trial);
                        return scaled_norm(options_, there - slope_, y_);
                      });
    tape_.rewind(before);
    h_ = direction * step;
  }

  // Steps that would leave a sliver before t1 are shortened to half the way, so that two equal ones
  // are left.
  bool fit_step() {
    const double left = span_.t1 - report_.t;
    if (std::abs(h_) >= std::abs(left)) {
      h_ = left;
      return true;
    }
    if (std::abs(h_) > std::abs(left) / 2) h_ = left / 2;
    return false;
  }

  bool is_vanishing() const {
    const double length = std::abs(span_.t1 - span_.t0);
    return std::abs(h_) <= std::numeric_limits<double>::epsilon() * length ||
           report_.t + h_ == report_.t;
  }

  // The time t as a node; t moves along with t0.
  Var<T> time_at(double t) {
    if (vars_.t0.is_empty()) return tape_.scalar(static_cast<T>(t));
    return vars_.t0 + static_cast<T>(t - span_.t0);
  }

  Step take_step(bool is_last) {
    Step step;
    const Tableau& method = *options_.method;
    const bool moves = is_last && !vars_.t1.is_empty();
    const Var<T> start = moves ? time_at(report_.t) : Var<T>();
    const Var<T> h = moves ? vars_.t1 - start : tape_.scalar(static_cast<T>(h_));
    step.stages[0] = slope_;
    for (std::size_t i = 1; i < method.stages(); ++i) {
      step.y = add_combination<T>(y_, h, method.row(i), std::span(step.stages).first(i));
      const Var<T> t =
          moves ? start + h * static_cast<T>(method.c[i]) : time_at(report_.t + method.c[i] * h_);
      step.stages[i] = evaluate_at(t, step.y);
    }
    if (!method.is_first_same_as_last()) {
      step.y = add_combination<T>(y_, h, method.b, std::span(step.stages).first(method.stages()));
    }
    step.error = error_norm(options_, h_, step.stages, y_, step.y);
    return step;
  }

  void accept(const Step& step, bool is_last) {
    report_.t = is_last ? span_.t1 : report_.t + h_;
    y_ = step.y;
    if (options_.method->is_first_same_as_last()) {
      slope_ = step.stages[options_.method->stages() - 1];
    } else if (!is_last) {
      slope_ = evaluate_at(time_at(report_.t), y_);
    }
    if (!records_) keep_state();
    // After a rejection the next step does not grow: it was found to be too long just now.
    h_ *= step_factor(step.error, options_.method->order, was_rejected_ ? 1.0 : max_growth);
    was_rejected_ = false;
    ++report_.accepted;
  }

  void reject(const Step& step) {
    h_ *= step_factor(step.error, options_.method->order, 1.0);
    was_rejected_ = true;
    ++report_.rejected;
  }

  void stop(Status status) { report_.status = status; }

  // Without recording, the state and its slope stand in two buffers below the mark that every step
  // rewinds to.
  void move_to_buffers() {
    shape_ = tape_.node(y_, "solve").shape;
    y_buffer_ = tape_.new_values(shape_.size);
    slope_buffer_ = tape_.new_values(shape_.size);
    base_ = tape_.mark();
    y_ = leaf(tape_.node(y_, "solve").value);
  }

  void keep_state() {
    std::copy_n(tape_.node(y_.index()).value, shape_.size, y_buffer_);
    std::copy_n(tape_.node(slope_.index()).value, shape_.size, slope_buffer_);
    tape_.rewind(base_);
    y_ = leaf(y_buffer_);
    slope_ = leaf(slope_buffer_);
  }

  Var<T> leaf(const T* values) {
    Node<T> node;
    node.shape = shape_;
    node.value = values;
    return tape_.append(node);
  }

  // A longer jump makes the controller overshoot and then reject. 10 is FAC2 of Hairer's dopri5.f.
  static constexpr double max_growth = 10;

  const Field<T>& f_;
  Tape<T>& tape_;
  TimeSpan span_;
  const SolveOptions& options_;
  TimeVars<T> vars_;
  bool records_;
  Var<T> y_;
  Var<T> slope_;
  double h_ = 0;
  double last_error_ = 0;
  bool was_rejected_ = false;
  Report report_;
  NodeShape shape_;
  T* y_buffer_ = nullptr;
  T* slope_buffer_ = nullptr;
  typename Tape<T>::Mark base_;
};

}  // namespace

std::string Report::message() const {
  const std::string where = " at t = " + number(t);
  const std::string after = " after " + std::to_string(accepted + rejected) + " steps";
  switch (status) {
    case Status::success: return "the solve reached t = " + number(t) + after;
    case Status::max_steps:
      return "the limit of steps was reached" + where + after +
             "; loosen rtol and atol, or raise max_steps";
    case Status::step_too_small:
      return "the step vanished" + where + after +
             ": no step met the tolerances; loosen rtol and atol, use double precision, or check "
             "the field for a jump";
    case Status::non_finite:
      return "the state or the field became infinite or NaN" + where + after +
             "; check its inputs and parameters, or stop before this time";
  }
  return {};
}

template <class T>
Solution<T> solve(const Field<T>& f, const Var<T>& y0, TimeSpan span, const SolveOptions& options) {
  return Integration<T>(f, y0, span, options, {}, true).run();
}

template <class T>
Solution<T> solve(const Field<T>& f, const Var<T>& y0, const Var<T>& t0, const Var<T>& t1,
                  const SolveOptions& options) {
  const TimeSpan span{static_cast<double>(t0.item()), static_cast<double>(t1.item())};
  return Integration<T>(f, y0, span, options, {t0, t1}, true).run();
}

template <class T>
Solution<T> solve_values(const Field<T>& f, const Var<T>& y0, TimeSpan span,
                         const SolveOptions& options) {
  return Integration<T>(f, y0, span, options, {}, false).run();
}

#define FJORD_INSTANTIATE(T)                                                                 \
  template Solution<T> solve(const Field<T>&, const Var<T>&, TimeSpan, const SolveOptions&); \
  template Solution<T> solve(const Field<T>&, const Var<T>&, const Var<T>&, const Var<T>&,   \
                             const SolveOptions&);                                           \
  template Solution<T> solve_values(const Field<T>&, const Var<T>&, TimeSpan, const SolveOptions&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::ode
