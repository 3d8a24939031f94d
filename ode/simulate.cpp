#include "fjord/ode/simulate.hpp"

#include <limits>
#include <string>

#include "fjord/autodiff/errors.hpp"
#include "fjord/ode/check_options.hpp"
#include "fjord/ode/event_finder.hpp"
#include "fjord/ode/integration.hpp"
#include "fjord/ode/plain_space.hpp"
#include "fjord/ode/saver.hpp"

namespace fjord::ode {

namespace {

// The caller's function.
class WatchCallback final : public StepObserver<PlainSpace> {
 public:
  WatchCallback(const Watch& watch, std::size_t size) : watch_(watch), size_(size) {}

  std::optional<EarlyEnd<PlainSpace>> after(const AcceptedStep<PlainSpace>& accepted) override {
    double* const y = accepted.at(accepted.t_next);
    if (watch_.on_step(accepted.t_next, {y, size_})) return std::nullopt;
    return EarlyEnd<PlainSpace>{Status::stopped, accepted.t_next, y};
  }

 private:
  const Watch& watch_;
  std::size_t size_;
};

}  // namespace

Simulation simulate(const PlainField& f, std::span<const double> y0, TimeSpan span,
                    const SolveOptions& options, const Watch& watch) {
  require(f != nullptr, "simulate", "a field is needed, got an empty function");
  const std::size_t size = y0.size();
  require(f.size().value_or(size) == size, "simulate", [&] {
    return "the state must have as many numbers as the field takes, " + std::to_string(*f.size()) +
           ", got " + std::to_string(size);
  });
  check_options(options, span, static_cast<Index>(size), std::numeric_limits<double>::denorm_min());
  PlainSpace space(f, static_cast<Index>(size));
  double* const start = space.new_vector();
  std::copy(y0.begin(), y0.end(), start);
  Simulation result;
  std::vector<StepObserver<PlainSpace>*> observers;
  std::vector<EventFunction<PlainSpace>> events;
  for (const PlainEvent& event : watch.events) {
    require(event.function != nullptr, "simulate", "an event needs a function, got an empty one");
    events.push_back({[&](double t, double* y) {
                        return event.function(t, {y, size});
                      },
                      event.crossing, event.is_terminal});
  }
  EventFinder<PlainSpace> finder(events, [&](const FoundEvent<PlainSpace>& found) {
    const double* const y = found.step.at(found.t);
    result.occurrences.push_back({found.event, found.t, {y, y + size}});
  });
  Saver<PlainSpace> saver(options, span, [&](double t, double* y) {
    result.times.push_back(t);
    if (watch.output) {
      watch.output(t, {y, size}, result.states);
    } else {
      result.states.insert(result.states.end(), y, y + size);
    }
  });
  WatchCallback callback(watch, size);
  // The search for events comes first: what follows sees the step end where a terminal one is.
  if (!events.empty()) {
    finder.begin(span.t0, start);
    observers.push_back(&finder);
  }
  if (!options.save_at.empty() || options.save_steps) {
    saver.begin(start);
    observers.push_back(&saver);
  }
  if (watch.on_step) observers.push_back(&callback);
  Integration<PlainSpace> integration(space, start, span, options, observers);
  integration.run();
  result.y.assign(integration.y(), integration.y() + size);
  result.report = integration.report();
  return result;
}

}  // namespace fjord::ode
