#include "fjord/ode/checkpointed.hpp"

#include <algorithm>
#include <memory>

#include "fjord/autodiff/checkpoint.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/ode/gradient_modes.hpp"
#include "fjord/ode/run.hpp"
#include "fjord/ode/solve_operation.hpp"
#include "fjord/ode/step_maker.hpp"
#include "fjord/ode/step_plans.hpp"

namespace fjord::ode {
namespace {

// Makes parts of a solve again, from states before them.
template <class T>
class Steps final : public std::enable_shared_from_this<Steps<T>> {
 public:
  Steps(const Problem<T>& problem, const SolveOptions& options, std::vector<double> ends)
      : maker_(problem.f, problem.times, *options.method),
        plans_(problem.span, options, std::move(ends)) {}

  std::size_t count() const { return plans_.count(); }

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
    return maker_.make(plans_.at(i), state);
  }

  StepMaker<T> maker_;
  StepPlans<T> plans_;
};

}  // namespace

std::size_t first_snapshot(std::size_t steps, std::size_t snapshots) {
  // The most steps that so many snapshots and repeats reverse: binomial(snapshots + repeats,
  // snapshots). The part behind the snapshot has one snapshot less, and is as many as it can; but
  // not so many that the part before it, which has one repeat less, would need another one less.
  const auto reach = [](std::size_t s, std::size_t repeats) {
    std::size_t count = 1;
    for (std::size_t k = 1; k <= s; ++k) count = count * (repeats + k) / k;
    return count;
  };
  std::size_t repeats = 1;
  while (reach(snapshots, repeats) < steps) ++repeats;
  const std::size_t behind = reach(snapshots - 1, repeats);
  const std::size_t least = repeats > 1 ? reach(snapshots, repeats - 2) : 1;
  return steps > behind ? std::max(steps - behind, least) : least;
}

template <class T>
Solution<T> Checkpointed::solve_as(const Problem<T>& problem, const SolveOptions& options) const {
  if (!snapshots_) return run(problem, options, Recording::states);
  require(*snapshots_ > 0, "solve", "checkpointed must have at least 1 snapshot, got 0");
  const Var<T>& y0 = problem.y0;
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
  if (solution.report.status != Status::success) {
    Vars<T> inputs = captured_at_start(problem);
    inputs.push_back(y0);
    if (!problem.times.t0.is_empty())
      inputs.insert(inputs.end(), {problem.times.t0, problem.times.t1});
    solution.y = tape.input(reached);
    return failed<T>({solution, inputs});
  }
  solution.y = y0;
  if (ends.times.empty()) return solution;
  const auto steps = std::make_shared<Steps<T>>(problem, options, std::move(ends.times));
  solution.y = steps->made(0, steps->count(), {y0}, *snapshots_).front();
  return solution;
}

template Solution<float> Checkpointed::solve_as(const Problem<float>&, const SolveOptions&) const;
template Solution<double> Checkpointed::solve_as(const Problem<double>&, const SolveOptions&) const;

constinit const Checkpointed checkpointed;

}  // namespace fjord::ode
