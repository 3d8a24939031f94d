#include "fjord/ode/reversible_adjoint.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <string>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/ode/gradient_modes.hpp"
#include "fjord/ode/solve_operation.hpp"
#include "fjord/ode/step_maker.hpp"
#include "fjord/ode/step_plans.hpp"

namespace fjord::ode {
namespace {

// A state and what the step to it handed on, then the cotangents of these.
template <class T>
using Numbers = std::vector<Tensor<T>>;

template <class T>
Numbers<T> numbers_of(const Vars<T>& list) {
  Numbers<T> numbers;
  for (const Var<T>& var : list) numbers.emplace_back(var.value());
  return numbers;
}

template <class T>
Vars<T> leaves_of_numbers(Tape<T>& tape, const Numbers<T>& numbers) {
  Vars<T> leaves;
  for (const Tensor<T>& tensor : numbers) leaves.push_back(tape.borrow(tensor));
  return leaves;
}

// Keeps the numbers after steps that cannot be reached from the one behind them: at jumps and at
// the end.
template <class T>
class Anchors final : public NodeObserver<T> {
 public:
  Anchors(TimeSpan span, const SolveOptions& options) : span_(span), stops_(span, options) {}

  std::optional<EarlyEnd<NodeSpace<T>>> after(const AcceptedStep<NodeSpace<T>>& accepted) override {
    const std::size_t i = ends.size();
    ends.push_back(accepted.t_next);
    if (accepted.t_next != span_.t1 && !stops_.is_jump(accepted.t_next)) return std::nullopt;
    Vars<T> list{accepted.step.y_next};
    for (const Var<T>& handed_on : accepted.step.carry) {
      if (!handed_on.is_empty()) list.push_back(handed_on);
    }
    numbers.emplace(i, numbers_of(list));
    return std::nullopt;
  }

  std::vector<double> ends;                   // of all steps
  std::map<std::size_t, Numbers<T>> numbers;  // by step

 private:
  TimeSpan span_;
  Stops stops_;
};

// What sweeps need of a solve.
template <class T>
struct Undone : KeptSolve<T> {
  Undone(const Problem<T>& problem, const SolveOptions& solve_options, Anchors<T>& found)
      : KeptSolve<T>{problem.f},
        options(solve_options),
        maker(this->f, problem.times, *options.method),
        plans(problem.span, options, std::move(found.ends)),
        anchors(std::move(found.numbers)) {}

  SolveOptions options;
  StepMaker<T> maker;
  StepPlans<T> plans;
  std::map<std::size_t, Numbers<T>> anchors;
};

template <class T>
class SweepBack final {
 public:
  SweepBack(const Undone<T>& solve, Reverse<T>& rule)
      : solve_(solve), rule_(rule), stand_ins_(stand_ins_of(rule, solve)) {
    for (std::uint32_t i = solve_input::t0; i < rule.input_count(); ++i) {
      if (!rule.wants(i)) continue;
      wanted_.push_back(i);
      parameters_.push_back(rule.input(i));
      sums_.push_back(Tensor<T>::zeros(rule.input(i).shape()));
    }
    cotangents_.emplace_back(rule.cotangent().value());
  }

  void run() {
    Tape<T>& tape = rule_.tape();
    if (solve_.plans.count() == 0) return add_without_steps(tape.input(cotangents_.front()));
    for (std::size_t i = solve_.plans.count(); i-- > 0;) step(i);
    rule_.add(solve_input::y0, computed(tape.input(cotangents_.front())));
    for (std::size_t k = 0; k < wanted_.size(); ++k)
      rule_.add(wanted_[k], computed(tape.input(sums_[k])));
  }

 private:
  void add_without_steps(const Var<T>& cotangent) {
    rule_.add(solve_input::y0, cotangent);
    add_times(rule_, field_of(rule_, solve_), cotangent);
  }

  void step(std::size_t i) {
    const auto anchor = solve_.anchors.find(i);
    if (anchor != solve_.anchors.end()) after_ = anchor->second;
    Tape<T>& tape = rule_.tape();
    const RewindScope<T> scope(tape);
    const StepPlan plan = solve_.plans.at(i);
    Numbers<T> before = numbers_of(solve_.maker.undo(plan, leaves_of_numbers(tape, after_)));
    const auto earlier = i == 0 ? solve_.anchors.end() : solve_.anchors.find(i - 1);
    if (i == 0 || earlier != solve_.anchors.end()) {
      // Nothing but the state was handed to this step.
      const Tensor<T> exact =
          i == 0 ? Tensor<T>(rule_.input(solve_input::y0).value()) : earlier->second.front();
      check_came_back(before.front(), exact, plan.times.t);
      before = {exact};
    }
    sweep(plan, before);
    after_ = std::move(before);
  }

  void sweep(const StepPlan& plan, const Numbers<T>& before) {
    Tape<T>& tape = rule_.tape();
    Vars<T> inputs = leaves_of_numbers(tape, before);
    const Vars<T> own = fresh(parameters_);
    const std::size_t first = tape.size();
    Vars<T> after = solve_.maker.make(plan, inputs);
    stand_ins_.put_in(first, after);
    StandIns<T>(parameters_, own).put_in(first, after);
    inputs.insert(inputs.end(), own.begin(), own.end());
    const Vars<T> found = partial_pullback<T>(after, leaves_of_numbers(tape, cotangents_), inputs);
    cotangents_ = numbers_of(Vars<T>(found.begin(), found.begin() + std::ssize(before)));
    for (std::size_t k = 0; k < sums_.size(); ++k) {
      const T* const numbers = tape.node(found[before.size() + k], "solve").value;
      for (Index e = 0; e < sums_[k].shape().size(); ++e) sums_[k].data()[e] += numbers[e];
    }
  }

  void check_came_back(const Tensor<T>& y, const Tensor<T>& exact, double t) const {
    const Index size = y.shape().size();
    std::vector<T> off(static_cast<std::size_t>(size));
    std::transform(y.data(), y.data() + size, exact.data(), off.begin(), std::minus<>());
    if (scaled_norm<T>(solve_.options, off.data(), {exact.data(), size, size}) <= 1) return;
    Report report;
    report.status = Status::irreversible;
    report.t = t;
    report.accepted = solve_.plans.count();
    throw SolveFailure(report);
  }

  const Undone<T>& solve_;
  Reverse<T>& rule_;
  StandIns<T> stand_ins_;
  std::vector<std::uint32_t> wanted_;
  Vars<T> parameters_;
  std::vector<Tensor<T>> sums_;
  Numbers<T> after_;
  Numbers<T> cotangents_;
};

template <class T>
struct UndoneSolve {
  static void pullback_values(ReverseKernel<T>& kernel) {
    pull_values(kernel, [](Reverse<T>& rule) {
      SweepBack<T>(kept_with<const Undone<T>>(rule), rule).run();
    });
  }

  static constexpr Operation<T> row{"reversible", FirstOrderOnly<T>::pullback,
                                    FirstOrderOnly<T>::pushforward, pullback_values};
};

}  // namespace

template <class T>
Solution<T> ReversibleAdjoint::solve_as(const Problem<T>& problem,
                                        const SolveOptions& options) const {
  require(options.method == nullptr || suits(*options.method), "solve", [&] {
    return "the steps of the method " + std::string(options.method->name()) +
           " cannot be undone; give the mode reversible a method such as reversible_heun, or use "
           "the mode checkpointed";
  });
  Anchors<T> anchors(problem.span, options);
  NodeObserver<T>* const observer = &anchors;
  const WatchedSolve<T> solve = solve_watched(problem, options, std::span(&observer, 1));
  if (solve.values.report.status != Status::success) return failed(solve);
  return append_solve<T>(UndoneSolve<T>::row, solve,
                         std::make_shared<Undone<T>>(problem, options, anchors));
}

#define FJORD_INSTANTIATE(T) \
  template Solution<T> ReversibleAdjoint::solve_as(const Problem<T>&, const SolveOptions&) const;
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

constinit const ReversibleAdjoint reversible;

}  // namespace fjord::ode
