/// The steps of a solve whose ends are known.
#pragma once

#include <vector>

#include "fjord/ode/node_space.hpp"
#include "fjord/ode/step_observer.hpp"
#include "fjord/ode/stops.hpp"

namespace fjord::ode {

/// Collects where the steps of a solve end.
template <class T>
class StepEnds final : public StepObserver<NodeSpace<T>> {
 public:
  std::optional<EarlyEnd<NodeSpace<T>>> after(const AcceptedStep<NodeSpace<T>>& accepted) override {
    times.push_back(accepted.t_next);
    return std::nullopt;
  }

  std::vector<double> times;
};

/// Plans all steps of a solve once more.
template <class T>
class StepPlans final {
 public:
  StepPlans(TimeSpan span, const SolveOptions& options, std::vector<double> ends)
      : options_(options), stops_(span, options_), t0_(span.t0), ends_(std::move(ends)) {}

  StepPlans(const StepPlans&) = delete;
  StepPlans& operator=(const StepPlans&) = delete;

  std::size_t count() const { return ends_.size(); }

  /// Of step i, counted from 0.
  StepPlan at(std::size_t i) const {
    const double t = i == 0 ? t0_ : ends_[i - 1];
    const double t_next = ends_[i];
    StepPlan plan{{t, t_next, stops_.template field_time_after<T>(t),
                   stops_.template field_time_before<T>(t_next), i + 1 == ends_.size()}};
    plan.h_last = i == 0 ? 0 : t - (i == 1 ? t0_ : ends_[i - 2]);
    plan.has_slope = i > 0;
    plan.ends_at_jump = stops_.is_jump(t_next);
    plan.next_field_t = stops_.template field_time_after<T>(t_next);
    return plan;
  }

 private:
  SolveOptions options_;
  Stops stops_;
  double t0_;
  std::vector<double> ends_;
};

}  // namespace fjord::ode
