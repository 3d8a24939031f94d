#include "fjord/ode/run.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "fjord/autodiff/errors.hpp"
#include "fjord/ode/check_options.hpp"
#include "fjord/ode/event_finder.hpp"
#include "fjord/ode/gradient_mode.hpp"
#include "fjord/ode/occurrence.hpp"
#include "fjord/ode/saver.hpp"
#include "fjord/ode/separate_rows.hpp"

namespace fjord::ode {
namespace {

// The caller's function.
template <class T>
class Callback final : public NodeObserver<T> {
 public:
  explicit Callback(const std::function<bool(double, const Var<T>&)>& on_step)
      : on_step_(on_step) {}

  std::optional<EarlyEnd<NodeSpace<T>>> after(const AcceptedStep<NodeSpace<T>>& accepted) override {
    const Var<T> y = accepted.at(accepted.t_next);
    if (on_step_(accepted.t_next, y)) return std::nullopt;
    return EarlyEnd<NodeSpace<T>>{Status::stopped, accepted.t_next, y};
  }

 private:
  const std::function<bool(double, const Var<T>&)>& on_step_;
};

// States that outlive the steps: nodes, or without recording their numbers until the solve is over.
template <class T>
class Kept final {
 public:
  Kept(Tape<T>& tape, bool records) : tape_(tape), records_(records) {}

  void add(const Var<T>& y) {
    if (records_) {
      vars_.push_back(y);
    } else {
      numbers_.emplace_back(y.value());
    }
  }

  Vars<T> take() {
    for (const Tensor<T>& y : numbers_) vars_.push_back(tape_.input(y));
    return std::move(vars_);
  }

 private:
  Tape<T>& tape_;
  bool records_;
  Vars<T> vars_;
  std::vector<Tensor<T>> numbers_;
};

template <class T>
Var<T> saved(const Problem<T>& problem, double t, const Var<T>& y) {
  if (!problem.output) return y;
  return problem.output(y.tape().scalar(static_cast<T>(t)), y);
}

// All that a solve gives besides its end.
template <class T>
class Outputs final {
 public:
  using Space = NodeSpace<T>;

  Outputs(const Problem<T>& problem, const SolveOptions& options, bool records)
      : problem_(problem),
        options_(options),
        records_(records),
        states_(problem.y0.tape(), records),
        event_states_(problem.y0.tape(), records),
        saver_(options, problem.span,
               [this](double t, const Var<T>& y) {
                 times_.push_back(t);
                 states_.add(saved(problem_, t, y));
               }),
        finder_(functions_, [this](const FoundEvent<Space>& found) { keep(found); }),
        callback_(problem.on_step) {
    // The search for events comes first: what follows sees the step end where a terminal one is.
    if (!problem.events.empty()) {
      for (const Event<T>& event : problem.events) {
        require(event.function != nullptr, "solve", "an event needs a function, got an empty one");
        functions_.push_back({value_of(event), event.crossing, event.is_terminal});
      }
      finder_.begin(problem.span.t0, problem.y0);
      observers_.push_back(&finder_);
    }
    if (!options.save_at.empty() || options.save_steps) {
      saver_.begin(problem.y0);
      observers_.push_back(&saver_);
    }
    if (problem.on_step) observers_.push_back(&callback_);
  }

  Outputs(const Outputs&) = delete;
  Outputs& operator=(const Outputs&) = delete;

  std::vector<NodeObserver<T>*>& observers() { return observers_; }

  void give_to(Solution<T>& solution) {
    solution.times = std::move(times_);
    solution.states = states_.take();
    const Vars<T> ends = event_states_.take();
    for (std::size_t i = 0; i < ends.size(); ++i) {
      const Var<T> t = problem_.y0.tape().scalar(static_cast<T>(event_times_[i]));
      occurrences_.push_back({event_numbers_[i], t, ends[i]});
    }
    // The end moves along with a terminal event.
    if (records_ && ends_at_event(problem_, occurrences_)) solution.y = occurrences_.back().y;
    solution.occurrences = std::move(occurrences_);
  }

 private:
  static std::function<double(double, const Var<T>&)> value_of(const Event<T>& event) {
    return [&event](double t, const Var<T>& y) {
      const RewindScope<T> scope(y.tape());
      const Var<T> value = event.function(y.tape().scalar(static_cast<T>(t)), y);
      require(value.shape().size() == 1, "solve", [&] {
        return "an event's function must give one number, got shape " + to_string(value.shape());
      });
      return static_cast<double>(value.item());
    };
  }

  void keep(const FoundEvent<Space>& found) {
    if (records_) {
      occurrences_.push_back(with_derivatives(problem_, options_, found.event, found.t,
                                              StateBefore<T>{found.step.t, found.step.step.y}));
    } else {
      event_numbers_.push_back(found.event);
      event_times_.push_back(found.t);
      event_states_.add(found.step.at(found.t));
    }
  }

  const Problem<T>& problem_;
  const SolveOptions& options_;
  bool records_;
  std::vector<double> times_;
  Kept<T> states_;
  std::vector<Occurrence<T>> occurrences_;
  std::vector<std::size_t> event_numbers_;
  std::vector<double> event_times_;
  Kept<T> event_states_;
  std::vector<EventFunction<Space>> functions_;
  Saver<Space> saver_;
  EventFinder<Space> finder_;
  Callback<T> callback_;
  std::vector<NodeObserver<T>*> observers_;
};

}  // namespace

template <class T>
Solution<T> run(const Problem<T>& problem, const SolveOptions& options, Recording recording,
                std::span<NodeObserver<T>* const> observers) {
  require(problem.f != nullptr, "solve", "a field is needed, got an empty function");
  const Var<T>& y0 = problem.y0;
  check_options(options, problem.span, y0.tape().node(y0, "solve").shape.size,
                static_cast<double>(std::numeric_limits<T>::denorm_min()));
  if (options.separate_rows) {
    require(recording != Recording::states && observers.empty() && problem.events.empty() &&
                !problem.on_step && !options.save_steps,
            "solve",
            "separate_rows has the gradient modes direct and values_only, and no events, functions "
            "after steps and saved steps");
    Solution<T> solution = run_separate_rows(problem, options, recording == Recording::steps);
    for (std::size_t i = 0; i < solution.times.size(); ++i)
      solution.states[i] = saved(problem, solution.times[i], solution.states[i]);
    return solution;
  }
  std::optional<Outputs<T>> outputs;
  std::vector<NodeObserver<T>*> all;
  if (has_outputs(problem, options)) {
    outputs.emplace(problem, options, recording == Recording::steps);
    // Where no time passes, they have seen the only state.
    if (problem.span.t0 != problem.span.t1) all = outputs->observers();
    all.insert(all.end(), observers.begin(), observers.end());
    observers = all;
  }
  NodeSpace<T> space(problem.f, y0, problem.times, recording);
  Integration<NodeSpace<T>> integration(space, y0, problem.span, options, observers);
  integration.run(!problem.times.t1.is_empty());
  Solution<T> solution{integration.y(), integration.report()};
  if (outputs) outputs->give_to(solution);
  return solution;
}

#define FJORD_INSTANTIATE(T)                                                  \
  template Solution<T> run(const Problem<T>&, const SolveOptions&, Recording, \
                           std::span<NodeObserver<T>* const>);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::ode
