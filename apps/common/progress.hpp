/// How a training run goes, on standard error.
#pragma once

#include <chrono>
#include <string>

#include "fjord/autodiff/shape.hpp"

namespace fjord::apps {

struct ProgressState {
  Index epoch = 0;  ///< the one under way, from 1
  Index epochs = 0;
  Index step = 0;  ///< steps done
  Index steps = 0;
  double nll = 0;          ///< mean over the epoch so far, nats
  double evaluations = 0;  ///< mean over the epoch so far, a step
};

/// On a terminal a bar, redrawn ten times a second; otherwise one plain line an epoch.
class Progress final {
 public:
  /// `held_out` names the rows of the figure after each epoch.
  explicit Progress(const char* held_out = "test");
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  ~Progress() { finish(); }

  /// Call after every step.
  void update(const ProgressState& state);
  /// Call at the end of every epoch.
  void end_epoch(const ProgressState& state, double held_out_nll);
  /// Leaves the terminal at the start of a line; call before anything else is printed.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;

  double rate(const ProgressState& state) const;

  const char* held_out_;
  bool is_terminal_;
  bool is_drawn_ = false;
  Index first_step_ = -1;  // where this process began, which a resumed run does not do at 0
  Clock::time_point began_;
  Clock::time_point drawn_;
};

/// The bar as one line of at most `width` characters.
std::string progress_bar(const ProgressState& state, double steps_a_second, std::size_t width);

}  // namespace fjord::apps
