/// The search for events: times within a solve at which a function of the state passes zero.
#pragma once

#include <algorithm>
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
///          there.
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
  }

  std::optional<EarlyEnd<Space>> after(const AcceptedStep<Space>& accepted) override {
    struct Passage {
      std::size_t event;
      double t;
    };

    std::vector<Passage> passages;
    for (std::size_t i = 0; i < events_.size(); ++i) {
      const double before = values_[i];
      values_[i] = events_[i].value(accepted.t_next, accepted.step.y_next);
      if (passes(events_[i].crossing, before, values_[i]))
        passages.push_back({i, root(events_[i], accepted, before)});
    }
    std::ranges::stable_sort(passages, [&](const Passage& a, const Passage& b) {
      return std::abs(a.t - accepted.t) < std::abs(b.t - accepted.t);
    });
    for (const Passage& passage : passages) {
      found_({passage.event, passage.t, accepted});
      if (events_[passage.event].is_terminal)
        return EarlyEnd<Space>{Status::event, passage.t, accepted.at(passage.t)};
    }
    return std::nullopt;
  }

 private:
  // From one side to zero or the other side, but not from zero.
  static bool passes(Crossing crossing, double before, double after) {
    const bool rises = before < 0 && after >= 0;
    const bool falls = before > 0 && after <= 0;
    return crossing == Crossing::any      ? rises || falls
           : crossing == Crossing::rising ? rises
                                          : falls;
  }

  // By bisection, to the last bit of t; the later of the last two, at which the event has happened.
  static double root(const EventFunction<Space>& event, const AcceptedStep<Space>& accepted,
                     double before) {
    double from = accepted.t;
    double to = accepted.t_next;
    accepted.prepare();
    const typename Space::Mark mark = accepted.step.space.mark();
    for (;;) {
      const double middle = from + (to - from) / 2;
      if (middle == from || middle == to) return to;
      const double value = event.value(middle, accepted.at(middle));
      accepted.step.space.rewind(mark);
      (value == 0 || (value < 0) != (before < 0) ? to : from) = middle;
    }
  }

  const std::vector<EventFunction<Space>>& events_;
  Found found_;
  std::vector<double> values_;
};

}  // namespace fjord::ode
