/// What a solve gives besides its end: states at given times, or after every step.
#pragma once

#include "fjord/ode/integration.hpp"

namespace fjord::ode {

/// Hands out states as a solve passes their times.
template <class Space>
class Saver final : public StepObserver<Space> {
 public:
  using Take = std::function<void(double t, const Vector<Space>& y)>;

  /// Note:    The options must outlive the object, and `take` must copy what is not to end with the
  ///          step.
  Saver(const SolveOptions& options, TimeSpan span, Take take)
      : options_(options), span_(span), take_(std::move(take)) {}

  /// The state before the first step.
  void begin(const Vector<Space>& y0) {
    if (options_.save_steps) take_(span_.t0, y0);
    for (; next_ < options_.save_at.size() && options_.save_at[next_] == span_.t0; ++next_)
      take_(span_.t0, y0);
  }

  std::optional<EarlyEnd<Space>> after(const AcceptedStep<Space>& accepted) override {
    for (; next_ < options_.save_at.size() && has_passed(options_.save_at[next_], accepted.t_next);
         ++next_) {
      take_(options_.save_at[next_], accepted.at(options_.save_at[next_]));
    }
    if (options_.save_steps) take_(accepted.t_next, accepted.at(accepted.t_next));
    return std::nullopt;
  }

 private:
  bool has_passed(double time, double t) const {
    return span_.t1 > span_.t0 ? time <= t : time >= t;
  }

  const SolveOptions& options_;
  TimeSpan span_;
  Take take_;
  std::size_t next_ = 0;
};

}  // namespace fjord::ode
