#include "fjord/ode/checkpointed.hpp"

#include <memory>

#include "fjord/autodiff/checkpoint.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/ode/gradient_modes.hpp"
#include "fjord/ode/run.hpp"
#include "fjord/ode/step_maker.hpp"

namespace fjord::ode {
namespace {

// Collects where the steps of a solve end.
template <class T>
class StepEnds final : public NodeObserver<T> {
 public:
  std::optional<EarlyEnd<NodeSpace<T>>> after(const AcceptedStep<NodeSpace<T>>& accepted) override {
    times.push_back(accepted.t_next);
    return std::nullopt;
  }

  std::vector<double> times;
};

// The steps of a solve whose ends are known.
template <class T>
class Steps final : public std::enable_shared_from_this<Steps<T>> {
 public:
  Steps(const Problem<T>& problem, const SolveOptions& options, std::vector<double> ends)
      : maker_(problem.f, problem.times, *options.method),
        options_(options),
        stops_(problem.span, options_),
        t0_(problem.span.t0),
        ends_(std::move(ends)) {}

  std::size_t count() const { return ends_.size(); }

  // From the state before step `begin` to that before step `end`: y, and what steps hand on.
  Vars<T> made(std::size_t begin, std::size_t end, const Vars<T>& state,
               std::size_t snapshots) const {
    if (end - begin == 1) return step(begin, state);
    if (snapshots == 0) return step(end - 1, made_again(begin, end - 1, state, 0));
    const std::size_t middle = begin + first_snapshot(end - begin, snapshots);
    return made(middle, end, made_again(begin, middle, state, snapshots), snapshots - 1);
  }

 private:
  Vars<T> made_again(std::size_t begin, std::size_t end, const Vars<T>& state,
                     std::size_t snapshots) const {
    return checkpoint([self = this->shared_from_this(), begin, end, snapshots](
                          const Vars<T>& from) { return self->made(begin, end, from, snapshots); },
                      state);
  }

  Vars<T> step(std::size_t i, const Vars<T>& state) const {
    const double t = i == 0 ? t0_ : ends_[i - 1];
    const double t_next = ends_[i];
    const bool is_last = i + 1 == ends_.size();
    StepPlan plan{{t, t_next, stops_.template field_time_after<T>(t),
                   stops_.template field_time_before<T>(t_next), is_last}};
    plan.h_last = i == 0 ? 0 : t - (i == 1 ? t0_ : ends_[i - 2]);
    plan.has_slope = i > 0;
    plan.ends_at_jump = stops_.is_jump(t_next);
    plan.next_field_t = stops_.template field_time_after<T>(t_next);
    return maker_.make(plan, state);
  }

  StepMaker<T> maker_;
  SolveOptions options_;
  Stops stops_;
  double t0_;
  std::vector<double> ends_;
};

}  // namespace

std::size_t first_snapshot(std::size_t steps, std::size_t snapshots) {
  // The most steps that so many snapshots and repeats reverse: binomial(snapshots + repeats,
  // snapshots). With one repeat less, the part behind the snapshot must be as many as it can.
  const auto reach = [](std::size_t s, std::size_t repeats) {
    std::size_t count = 1;
    for (std::size_t k = 1; k <= s; ++k) count = count * (repeats + k) / k;
    return count;
  };
  std::size_t repeats = 1;
  while (reach(snapshots, repeats) < steps) ++repeats;
  const std::size_t behind = reach(snapshots - 1, repeats);
  return steps > behind ? steps - behind : 1;
}

template <class T>
Solution<T> Checkpointed::solve_as(const Problem<T>& problem, const SolveOptions& options) const {
  const auto& [f, y0, span, times, events, on_step] = problem;
  require(options.save_at.empty() && !options.save_steps && events.empty() && !on_step, "solve",
          "checkpointed keeps no steps to save states or find events in; use direct");
  if (!snapshots_) return run(problem, options, Recording::states);
  require(*snapshots_ > 0, "solve", "checkpointed must have at least 1 snapshot, got 0");
  Tape<T>& tape = y0.tape();
  StepEnds<T> ends;
  Solution<T> solution;
  Tensor<T> reached;
  {
    const RewindScope<T> scope(tape);
    NodeObserver<T>* const observer = &ends;
    solution = run<T>(problem, options, Recording::none, std::span(&observer, 1));
    reached = Tensor<T>(solution.y.value());
  }
  solution.y = y0;
  if (solution.report.status != Status::success) solution.y = tape.input(reached);
  if (solution.report.status != Status::success || ends.times.empty()) return solution;
  const auto steps = std::make_shared<Steps<T>>(problem, options, std::move(ends.times));
  solution.y = steps->made(0, steps->count(), {y0}, *snapshots_).front();
  return solution;
}

template Solution<float> Checkpointed::solve_as(const Problem<float>&, const SolveOptions&) const;
template Solution<double> Checkpointed::solve_as(const Problem<double>&, const SolveOptions&) const;

constinit const Checkpointed checkpointed;

}  // namespace fjord::ode
