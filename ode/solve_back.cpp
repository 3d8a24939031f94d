#include "fjord/ode/solve_back.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/shape.hpp"

namespace fjord::ode {
namespace {

// How far the state may be off, in units of the error allowed in a step: what a few steps add up to
// where a solve can be reversed. Solves that control the mean let single rows be less accurate.
constexpr double far_off = 10;
constexpr double far_off_row = 100;
constexpr int most_halvings = 30;

// So many steps of the first solve, or more, are gone back at once where that can be reversed: each
// begin of a solve costs evaluations.
constexpr std::size_t least_steps = 8;

// A part of the span, from its later end tb back to ta.
template <class T>
struct Leg {
  double ta;
  double tb;
  Var<T> ya;  // the first solve's states there
  Var<T> yb;
  std::size_t steps;  // about how many it took
  std::span<const Checkpoint<T>> between;
  int halvings = 0;
};

template <class T>
class BackwardLegs final {
 public:
  explicit BackwardLegs(const BackProblem<T>& problem) : problem_(problem) {}

  Backsolved<T> run(const Var<T>& y0, const Var<T>& start) {
    result_.packed = start;
    const std::vector<Leg<T>> legs = legs_from(y0);
    for (std::size_t i = legs.size(); i-- > 0;) result_.packed = carry(legs[i], result_.packed);
    return result_;
  }

 private:
  // In the order of the first solve.
  std::vector<Leg<T>> legs_from(const Var<T>& y0) const {
    std::span<const Checkpoint<T>> left(problem_.checkpoints.list());
    if (!left.empty() && left.back().t == problem_.span.t1) left = left.first(left.size() - 1);
    const std::size_t count = std::max<std::size_t>(least_steps / stride(), 1);
    std::vector<Leg<T>> legs;
    double t = problem_.span.t0;
    Var<T> y = y0;
    for (; left.size() >= count; left = left.subspan(count)) {
      const Checkpoint<T>& end = left[count - 1];
      const Var<T> y_end = y0.tape().borrow(end.y);
      legs.push_back({t, end.t, y, y_end, count * stride(), left.first(count - 1)});
      t = end.t;
      y = y_end;
    }
    legs.push_back({t, problem_.span.t1, y, {}, count * stride(), left});
    return legs;
  }

  std::size_t stride() const { return problem_.checkpoints.stride(); }

  Var<T> carry(const Leg<T>& leg, const Var<T>& packed) {
    Tape<T>& tape = packed.tape();
    const typename Tape<T>::Mark mark = tape.mark();
    const Solution<T> back =
        solved_values(problem_.packed, packed, {leg.tb, leg.ta}, problem_.backward);
    if (back.report.status == Status::success && is_near(back.y, leg.ya)) {
      is_fresh_ = false;
      return kept(back.y, mark);
    }
    tape.rewind(mark);
    if (!is_fresh_) return kept(carry(leg, reset(packed, leg.yb, leg.tb)), mark);
    check_can_halve(back.report, leg);
    return kept(leg.between.empty() ? carry_in_halves(leg, packed) : carry_by_middle(leg, packed),
                mark);
  }

  // The state in the middle is known.
  Var<T> carry_by_middle(const Leg<T>& leg, const Var<T>& packed) {
    const std::size_t before = leg.between.size() / 2;
    const Checkpoint<T>& middle = leg.between[before];
    const Var<T> ym = packed.tape().borrow(middle.y);
    const std::size_t steps = (leg.steps + 1) / 2;
    const int halvings = leg.halvings + 1;
    const Var<T> half = carry(
        {middle.t, leg.tb, ym, leg.yb, steps, leg.between.subspan(before + 1), halvings}, packed);
    return carry({leg.ta, middle.t, leg.ya, ym, steps, leg.between.first(before), halvings}, half);
  }

  // Both states are solved for anew: against one that comes from other steps, a part would be as
  // far off as the two solves differ, however short it is.
  Var<T> carry_in_halves(const Leg<T>& leg, const Var<T>& packed) {
    const double tm = middle(leg);
    const Var<T> ym = solved_forward(leg.ya, {leg.ta, tm});
    const Var<T> yb = solved_forward(ym, {tm, leg.tb});
    const std::size_t steps = (leg.steps + 1) / 2;
    const Var<T> half =
        carry({tm, leg.tb, ym, yb, steps, {}, leg.halvings + 1}, reset(packed, yb, leg.tb));
    return carry({leg.ta, tm, leg.ya, ym, steps, {}, leg.halvings + 1}, half);
  }

  Var<T> reset(const Var<T>& packed, const Var<T>& y, double t) {
    is_fresh_ = true;
    if (result_.resets.empty() || result_.resets.back() != t) result_.resets.push_back(t);
    return with_state(packed, y);
  }

  Var<T> solved_forward(const Var<T>& y, TimeSpan span) {
    const Solution<T> forward = solved_values(problem_.f, y, span, problem_.forward);
    if (forward.report.status != Status::success)
      throw SolveFailure("the forward solve failed", SolveFailure(forward.report));
    return forward.y;
  }

  static double middle(const Leg<T>& leg) { return leg.ta + (leg.tb - leg.ta) / 2; }

  static Solution<T> solved_values(const Field<T>& f, const Var<T>& y, TimeSpan span,
                                   const SolveOptions& options) {
    return ode::run<T>({f, y, span}, within(options, span), Recording::none);
  }

  bool is_near(const Var<T>& packed, const Var<T>& ya) const {
    const RewindScope<T> scope(ya.tape());
    const Var<T> off = reshape(slice(packed, 0, 0, ya.shape().size()), ya.shape()) - ya;
    SolveOptions options = problem_.backward;
    options.atol = std::max(options.atol, rounding_of(ya));
    options.custom_norm = {};
    options.norm = ErrorNorm::rms;
    if (!(norm_of(options, off, ya) <= far_off)) return false;
    // One that is far off must not hide among many.
    options.norm = ErrorNorm::largest_row;
    return norm_of(options, off, ya) <= far_off_row;
  }

  static double norm_of(const SolveOptions& options, const Var<T>& x, const Var<T>& y) {
    const Shape shape = y.shape();
    const Index rows = shape.rank() == 0 ? shape.size() : shape[0];
    return scaled_norm<T>(options, x.value().data(), {y.value().data(), shape.size(), rows});
  }

  // What a few steps round off, whatever the tolerances.
  static double rounding_of(const Var<T>& y) {
    const T* numbers = y.value().data();
    double largest = 0;
    for (Index i = 0; i < y.shape().size(); ++i)
      largest = std::max(largest, std::abs(static_cast<double>(numbers[i])));
    return 4 * static_cast<double>(std::numeric_limits<T>::epsilon()) * largest;
  }

  // Halving helps where the state has drifted, which may end in any way, but not against a limit of
  // steps that is near what the first solve needed, or a cotangent that is not a number.
  static void check_can_halve(Report report, const Leg<T>& leg) {
    const std::size_t steps = report.accepted + report.rejected;
    bool helps = report.status == Status::success || report.accepted > 0;
    if (report.status == Status::tolerances_too_fine) helps = false;
    if (report.status == Status::max_steps || report.status == Status::stiff)
      helps = steps >= 10 * leg.steps;
    if (!helps) throw SolveFailure("the backward solve failed", SolveFailure(report));
    const double tm = middle(leg);
    if (leg.halvings < most_halvings && tm != leg.ta && tm != leg.tb) return;
    report.status = Status::irreversible;
    throw SolveFailure(report);
  }

  // Of all that was done since the mark keeps the result only.
  static Var<T> kept(const Var<T>& packed, const typename Tape<T>::Mark& mark) {
    const Tensor<T> numbers(packed.value());
    packed.tape().rewind(mark);
    return packed.tape().input(numbers);
  }

  const BackProblem<T>& problem_;
  Backsolved<T> result_;
  bool is_fresh_ = true;  // whether the state carried along is the first solve's
};

}  // namespace

template <class T>
std::optional<EarlyEnd<NodeSpace<T>>> Checkpoints<T>::after(
    const AcceptedStep<NodeSpace<T>>& accepted) {
  ++steps_;
  if (steps_ % stride_ == 0 && list_.size() == most) {
    for (std::size_t i = 0; 2 * i + 1 < most; ++i) list_[i] = std::move(list_[2 * i + 1]);
    list_.resize(most / 2);
    stride_ *= 2;
  }
  if (steps_ % stride_ == 0)
    list_.push_back({accepted.t_next, Tensor<T>(accepted.step.y_next.value())});
  return std::nullopt;
}

template <class T>
Backsolved<T> solve_back(const BackProblem<T>& problem, const Var<T>& y0, const Var<T>& packed) {
  return BackwardLegs<T>(problem).run(y0, packed);
}

template <class T>
Var<T> with_state(const Var<T>& packed, const Var<T>& y) {
  const Index size = y.shape().size();
  return concatenate<T>({reshape(y, {size}), slice(packed, 0, size, packed.shape()[0])}, 0);
}

#define FJORD_INSTANTIATE(T)                                                              \
  template class Checkpoints<T>;                                                          \
  template Backsolved<T> solve_back(const BackProblem<T>&, const Var<T>&, const Var<T>&); \
  template Var<T> with_state(const Var<T>&, const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::ode
