#include "fjord/ode/solve.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <sstream>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/ode/moving_time.hpp"
#include "fjord/ode/step.hpp"
#include "fjord/ode/values.hpp"

namespace fjord::ode {
namespace {

std::string number(double value) {
  std::ostringstream text;
  text.precision(9);
  text << value;
  return text.str();
}

void check_method(const Tableau* method) {
  require(method != nullptr, "solve", "method must be a method, got a null pointer");
  require(method->stages() >= 1 && method->stages() <= max_stages, "solve", [&] {
    return "method must have 1 to " + std::to_string(max_stages) + " stages, got " +
           std::to_string(method->stages());
  });
}

template <class T>
void check(const Field<T>& f, TimeSpan span, const SolveOptions& options) {
  require(f != nullptr, "solve", "a field is needed, got an empty function");
  require(std::isfinite(span.t0) && std::isfinite(span.t1) && std::isfinite(span.t1 - span.t0),
          "solve", [&] {
            return "t0, t1 and their difference must be finite, got " + number(span.t0) + " and " +
                   number(span.t1);
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
  check_method(options.method);
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
    check<T>(f, span, options);
    report_.t = span.t0;
    if (!records_) move_to_buffers();
  }

  Solution<T> run(const StepObserver<T>* observer = nullptr) {
    observer_ = observer;
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
    Var<T> y_before_last;  // the argument of the last stage but one
    Var<T> y_last;         // that of the last
    Var<T> y;
    double error;
  };

  void integrate() {
    slope_ = evaluate_at(time_at(span_.t0), y_);
    if (!is_finite(y_) || !is_finite(slope_)) return stop(Status::non_finite);
    h_ = std::copysign(options_.first_step.value_or(0), span_.t1 - span_.t0);
    if (!options_.first_step) choose_first_step();
    while (report_.t != span_.t1) {
      if (steps_left() == 0) return stop(status_at_limit());
      if (was_rejected_ && std::abs(h_) < shortest_step()) return stop(status_of_short_step());
      aim();
      const typename Tape<T>::Mark before = tape_.mark();
      const Step step = take_step();
      last_error_ = step.error;
      if (step.error <= 1) {
        accept(step);
      } else {
        tape_.rewind(before);
        reject(step);
        if (are_tolerances_too_fine() && is_rounding_too_coarse())
          return stop(Status::tolerances_too_fine);
      }
    }
  }

  // A step of no length: the state is what it was, but moves with the times.
  void stand_still() {
    slope_ = evaluate_at(time_at(span_.t0), y_);
    t_next_ = span_.t1;
    const Step step = take_step();
    if (!std::isfinite(step.error)) return stop(Status::non_finite);
    accept(step);
  }

  Var<T> evaluate_at(const Var<T>& t, const Var<T>& y) {
    ++report_.evaluations;
    return evaluate(f_, t, y);
  }

  void choose_first_step() {
    const double direction = std::copysign(1.0, span_.t1 - span_.t0);
    const double length = std::abs(span_.t1 - span_.t0);
    const typename Tape<T>::Mark before = tape_.mark();
    const auto slope_change = [&](double h) {
      const Var<T> trial = y_ + slope_ * static_cast<T>(direction * h);
      // t0 plus the length may be beyond t1 by a rounding.
      const double t = h < length ? span_.t0 + direction * h : span_.t1;
      const Var<T> there = evaluate_at(tape_.scalar(static_cast<T>(t)), trial);
      return scaled_norm(options_, there - slope_, y_);
    };
    // By reference: a function object that held the lambda would allocate.
    const double step =
        starting_step(scaled_norm(options_, y_, y_), scaled_norm(options_, slope_, y_),
                      options_.method->order, length, std::cref(slope_change));
    tape_.rewind(before);
    h_ = direction * step;
  }

  // Ten of the gaps between numbers at t: the stages of shorter steps would share their times.
  double shortest_step() const {
    const double t = std::abs(report_.t);
    return 10 * (std::nextafter(t, std::numeric_limits<double>::infinity()) - t);
  }

  // Sets where the next step ends, and its length from that, so that time and state stay together.
  // Steps that would leave a sliver before t1 are shortened to half the way, so that two equal ones
  // are left.
  void aim() {
    const double left = span_.t1 - report_.t;
    const double h = std::copysign(std::max(std::abs(h_), shortest_step()), left);
    if (std::abs(h) >= std::abs(left)) {
      t_next_ = span_.t1;
    } else {
      t_next_ = report_.t + (std::abs(h) > std::abs(left) / 2 ? left / 2 : h);
    }
    h_ = t_next_ - report_.t;
  }

  std::size_t steps_left() const {
    return options_.max_steps - report_.accepted - report_.rejected;
  }

  Status status_at_limit() const {
    if (!std::isfinite(last_error_)) return Status::non_finite;
    if (are_tolerances_too_fine()) return Status::tolerances_too_fine;
    return watched_steps_ >= least_watched && 2 * stiff_steps_ > watched_steps_ ? Status::stiff
                                                                                : Status::max_steps;
  }

  Status status_of_short_step() const {
    if (!std::isfinite(last_error_)) return Status::non_finite;
    return are_tolerances_too_fine() ? Status::tolerances_too_fine : Status::step_too_small;
  }

  // Whether the rounding errors of the state are larger than the errors allowed, which fields that
  // are smooth enough can be solved with all the same.
  bool are_tolerances_too_fine() const { return rounding * scaled_norm(options_, y_, y_) > 1; }

  // Whether steps so short that the error of one is allowed, were it only a hundredth of its
  // rounding, are too many.
  bool is_rounding_too_coarse() const {
    const double length = std::abs(span_.t1 - report_.t);
    return rounding * length * scaled_norm(options_, slope_, y_) >
           100 * static_cast<double>(options_.max_steps);
  }

  // Near the limit of steps, notes whether the field's stiffness keeps them short.
  void watch_stiffness(const Step& step) {
    const std::span<const double> c = options_.method->c;
    if (steps_left() > watched_at_end || c.size() < 3 || c[c.size() - 1] != c[c.size() - 2]) return;
    ++watched_steps_;
    stiff_steps_ += is_stiff<T>(options_, h_, {step.y_before_last, step.stages[c.size() - 2]},
                                {step.y_last, step.stages[c.size() - 1]});
  }

  // The time t as a node; t moves along with t0, and on the last step away from it towards t1.
  Var<T> time_at(double t, double moved_by_t1 = 0) {
    if (vars_.t0.is_empty()) return tape_.scalar(static_cast<T>(t));
    return moving_time(vars_.t0, vars_.t1, t, 1 - moved_by_t1, moved_by_t1);
  }

  Var<T> length_of_step(bool moves) {
    return moves ? moving_time(vars_.t0, vars_.t1, h_, -1, 1) : tape_.scalar(static_cast<T>(h_));
  }

  Step take_step() {
    Step step;
    const Tableau& method = *options_.method;
    const bool moves = t_next_ == span_.t1 && !vars_.t1.is_empty();
    const Var<T> h = length_of_step(moves);
    step.stages[0] = slope_;
    step.y_last = y_;
    for (std::size_t i = 1; i < method.stages(); ++i) {
      const double c = method.c[i];
      step.y_before_last = step.y_last;
      step.y_last = add_combination<T>(y_, h, method.row(i), std::span(step.stages).first(i));
      step.stages[i] =
          evaluate_at(time_at(c == 1 ? t_next_ : report_.t + c * h_, moves ? c : 0), step.y_last);
    }
    step.y =
        method.is_first_same_as_last()
            ? step.y_last
            : add_combination<T>(y_, h, method.b, std::span(step.stages).first(method.stages()));
    step.error = error_norm(options_, h_, step.stages, y_, step.y);
    return step;
  }

  void accept(const Step& step) {
    watch_stiffness(step);
    report_.t = t_next_;
    y_ = step.y;
    if (options_.method->is_first_same_as_last()) {
      slope_ = step.stages[options_.method->stages() - 1];
    } else if (t_next_ != span_.t1) {
      slope_ = evaluate_at(time_at(report_.t), y_);
    }
    if (!records_) keep_state();
    if (observer_ != nullptr) (*observer_)(report_.t, y_);
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
    y_ = tape_.borrow(shape_, tape_.node(y_, "solve").value);
  }

  void keep_state() {
    std::copy_n(tape_.node(y_.index()).value, shape_.size, y_buffer_);
    std::copy_n(tape_.node(slope_.index()).value, shape_.size, slope_buffer_);
    tape_.rewind(base_);
    y_ = tape_.borrow(shape_, y_buffer_);
    slope_ = tape_.borrow(shape_, slope_buffer_);
  }

  // A longer jump makes the controller overshoot and then reject. 10 is FAC2 of Hairer's dopri5.f.
  static constexpr double max_growth = 10;
  static constexpr auto rounding = static_cast<double>(std::numeric_limits<T>::epsilon());
  // The attempts before the limit that are looked at for stiffness, and how many must have counted.
  static constexpr std::size_t watched_at_end = 40;
  static constexpr std::size_t least_watched = 15;

  const Field<T>& f_;
  Tape<T>& tape_;
  TimeSpan span_;
  const SolveOptions& options_;
  TimeVars<T> vars_;
  bool records_;
  const StepObserver<T>* observer_ = nullptr;
  Var<T> y_;
  Var<T> slope_;
  double h_ = 0;
  double t_next_ = 0;
  double last_error_ = 0;
  std::size_t watched_steps_ = 0;
  std::size_t stiff_steps_ = 0;
  bool was_rejected_ = false;
  Report report_;
  NodeShape shape_;
  T* y_buffer_ = nullptr;
  T* slope_buffer_ = nullptr;
  typename Tape<T>::Mark base_;
};

// The result of a solve that kept no steps, as a function of all that it was computed from.
template <class T>
struct ValuesOnly {
  [[noreturn]] static void refuse(const RuleNode<T>& rule) {
    fail("solve_values", std::string("this solve kept no steps, so that no derivative runs through "
                                     "it; ") +
                             static_cast<const char*>(rule.node().attributes));
  }

  static void pullback(Reverse<T>& rule) { refuse(rule); }

  static bool pushforward(Forward<T>& rule) { refuse(rule); }

  static void pullback_values(ReverseKernel<T>& kernel) { refuse(kernel); }

  static constexpr Operation<T> row{"solve_values", pullback, pushforward, pullback_values};
};

}  // namespace

std::string Report::outcome() const {
  const std::string where = " at t = " + number(t);
  const std::string after = " after " + std::to_string(accepted + rejected) + " steps";
  switch (status) {
    case Status::success: return "the solve reached t = " + number(t) + after;
    case Status::max_steps: return "the limit of steps was reached" + where + after;
    case Status::stiff:
      return "the limit of steps was reached" + where + after +
             ": the field is stiff there, which keeps the steps short whatever the tolerances";
    case Status::step_too_small:
      return "the step vanished" + where + after + ": no step met the tolerances";
    case Status::tolerances_too_fine:
      return "the tolerances are too fine" + where + after +
             ": numbers of this precision round off more than they allow";
    case Status::non_finite: return "the state or the field became infinite or NaN" + where + after;
    case Status::irreversible:
      return "the solve backwards" + where + after +
             " did not come back to the state that the first solve had there";
  }
  return {};
}

std::string Report::remedy() const {
  switch (status) {
    case Status::success: return {};
    case Status::max_steps: return "loosen rtol and atol, or raise max_steps";
    case Status::stiff:
      return "make the field less steep in the state, shorten the span, or raise max_steps";
    case Status::step_too_small:
      return "loosen rtol and atol, use double precision, or check the field for a jump";
    case Status::tolerances_too_fine: return "loosen rtol and atol, or use double precision";
    case Status::non_finite: return "check its inputs and parameters, or stop before this time";
    case Status::irreversible:
      return "take the gradient through the recorded steps (solve; in a flow Gradient::direct)";
  }
  return {};
}

std::string Report::message() const {
  return status == Status::success ? outcome() : outcome() + "; " + remedy();
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
Solution<T> integrate_values(const Field<T>& f, const Var<T>& y0, TimeSpan span,
                             const SolveOptions& options, const StepObserver<T>* observer) {
  return Integration<T>(f, y0, span, options, {}, false).run(observer);
}

template <class T>
Solution<T> solve_values(const Field<T>& f, const Var<T>& y0, TimeSpan span,
                         const SolveOptions& options, const char* advice) {
  require(f != nullptr, "solve", "a field is needed, got an empty function");
  Tape<T>& tape = y0.tape();
  tape.node(y0, "solve");
  Captured<T> captured(tape, std::span(&y0, 1));
  const auto watched = [&](const Var<T>& t, const Var<T>& y) { return captured.evaluate(f, t, y); };
  const Solution<T> values = integrate_values<T>(std::cref(watched), y0, span, options);
  Vars<T> inputs = captured.vars();
  inputs.push_back(y0);
  const Node<T> end = tape.node(values.y.index());
  const auto [y, numbers] = append_operation<T>(tape, ValuesOnly<T>::row,
                                                std::span<const Var<T>>(inputs), end.shape, advice);
  std::copy_n(end.value, end.shape.size, numbers);
  return {y, values.report};
}

#define FJORD_INSTANTIATE(T)                                                                       \
  template Solution<T> solve(const Field<T>&, const Var<T>&, TimeSpan, const SolveOptions&);       \
  template Solution<T> solve(const Field<T>&, const Var<T>&, const Var<T>&, const Var<T>&,         \
                             const SolveOptions&);                                                 \
  template Solution<T> integrate_values(const Field<T>&, const Var<T>&, TimeSpan,                  \
                                        const SolveOptions&, const StepObserver<T>*);              \
  template Solution<T> solve_values(const Field<T>&, const Var<T>&, TimeSpan, const SolveOptions&, \
                                    const char*);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::ode
