/// The search for events: times within a solve at which a function of the state passes zero.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "fjord/ode/integration.hpp"
#include "fjord/ode/problem.hpp"

namespace fjord::ode {

/// An event's function on the states of a space; see Event.
template <class Space>
struct EventFunction {
  std::function<double(double t, const Vector<Space>& y)> value;
  Crossing crossing;
  bool is_terminal;
};

/// Where in a step an event was found.
template <class Space>
struct FoundEvent {
  std::size_t event;  ///< its place in the list
  double t;
  const AcceptedStep<Space>& step;
};

/// Looks for events in every step: where the value changes its sign between the ends of the step,
/// the dense output is searched to the rounding of t.
///
/// Note:    Two passages within one step are seen as none. A value that is 0 at t0 is not an event
///          there. Where a value is NaN that is needed, the solve ends.
template <class Space>
class EventFinder final : public StepObserver<Space> {
 public:
  using Found = std::function<void(const FoundEvent<Space>& found)>;

  /// Note:    The list must outlive the object.
  EventFinder(const std::vector<EventFunction<Space>>& events, Found found)
      : events_(events), found_(std::move(found)) {}

  /// The state before the first step.
  void begin(double t0, const Vector<Space>& y0) {
    for (const EventFunction<Space>& event : events_) values_.push_back(event.value(t0, y0));
    values_next_ = values_;
  }

  std::optional<EarlyEnd<Space>> after(const AcceptedStep<Space>& accepted) override {
    std::vector<Passage> passages;
    for (std::size_t i = 0; i < events_.size(); ++i) {
      values_next_[i] = events_[i].value(accepted.t_next, accepted.step.y_next);
      look(i, accepted, accepted.t_next, values_next_[i], passages);
    }
    look_before_end(accepted, passages);
    std::swap(values_, values_next_);
    std::ranges::stable_sort(passages, [&](const Passage& a, const Passage& b) {
      return std::abs(a.t - accepted.t) < std::abs(b.t - accepted.t);
    });
    for (const Passage& passage : passages) {
      if (!passage.is_defined)
        return EarlyEnd<Space>{Status::event_undefined, passage.t, state(accepted, passage.t)};
      found_({passage.event, passage.t, accepted});
      if (events_[passage.event].is_terminal)
        return EarlyEnd<Space>{Status::event, passage.t, accepted.at(passage.t)};
    }
    return std::nullopt;
  }

 private:
  // Through zero, or to NaN.
  struct Passage {
    std::size_t event;
    double t;       // at which it has happened
    double before;  // and the last time before that at which it had not
    bool is_defined = true;
  };

  // Adds what event i does between the begin of the step and a time with that value.
  void look(std::size_t i, const AcceptedStep<Space>& accepted, double t, double value,
            std::vector<Passage>& passages) const {
    const double before = values_[i];
    if (std::isnan(before)) {
      passages.push_back({i, accepted.t, accepted.t, false});
    } else if (std::isnan(value)) {
      passages.push_back({i, t, accepted.t, false});
    } else if (passes(events_[i].crossing, before, value)) {
      passages.push_back(search(i, accepted, t));
    }
  }

  // Where a terminal event ends the solve within the step, it does not matter that others are NaN
  // later on.
  void look_before_end(const AcceptedStep<Space>& accepted, std::vector<Passage>& passages) const {
    const Passage* end = nullptr;
    for (const Passage& p : passages) {
      const bool ends = p.is_defined && events_[p.event].is_terminal;
      if (ends && (end == nullptr || std::abs(p.t - accepted.t) < std::abs(end->t - accepted.t)))
        end = &p;
    }
    if (end == nullptr) return;
    std::vector<Passage> result;
    for (const Passage& p : passages) {
      if (p.is_defined) {
        result.push_back(p);
      } else {
        look(p.event, accepted, end->before, value(p.event, accepted, end->before), result);
      }
    }
    passages = std::move(result);
  }

  // From one side to zero or the other side, but not from zero.
  static bool passes(Crossing crossing, double before, double after) {
    const bool rises = before < 0 && after >= 0;
    const bool falls = before > 0 && after <= 0;
    return crossing == Crossing::any      ? rises || falls
           : crossing == Crossing::rising ? rises
                                          : falls;
  }

  // By bisection, to the last bit of t.
  Passage search(std::size_t i, const AcceptedStep<Space>& accepted, double to) const {
    double from = accepted.t;
    accepted.prepare();
    for (;;) {
      const double middle = from + (to - from) / 2;
      if (middle == from || middle == to) return {i, to, from};
      const double there = value(i, accepted, middle);
      if (std::isnan(there)) return {i, middle, from, false};
      (there == 0 || (there < 0) != (values_[i] < 0) ? to : from) = middle;
    }
  }

  // Note: The step must have been prepared.
  double value(std::size_t i, const AcceptedStep<Space>& accepted, double t) const {
    const typename Space::Mark mark = accepted.step.space.mark();
    const double result = events_[i].value(t, state(accepted, t));
    accepted.step.space.rewind(mark);
    return result;
  }

  static Vector<Space> state(const AcceptedStep<Space>& accepted, double t) {
    return t == accepted.t ? accepted.step.y : accepted.at(t);
  }

  const std::vector<EventFunction<Space>>& events_;
  Found found_;
  std::vector<double> values_;  // at the begin of the step
  std::vector<double> values_next_;
};

}  // namespace fjord::ode
