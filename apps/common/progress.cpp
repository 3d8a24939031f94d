#include "fjord/apps/common/progress.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

namespace fjord::apps {
namespace {

bool can_redraw() {
  const char* terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

std::size_t terminal_width() {
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

std::string time_text(double seconds) {
  const auto whole = static_cast<long long>(std::ceil(seconds));
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%lld:%02lld", whole / 60, whole % 60);
  return text.data();
}

}  // namespace

std::string progress_bar(const ProgressState& state, double steps_a_second, std::size_t width) {
  const double left = static_cast<double>(state.steps - state.step) / steps_a_second;
  std::array<char, 160> numbers{};
  std::snprintf(numbers.data(), numbers.size(),
                " epoch %td/%td  step %td  NLL %.3f  %.0f evals  %.0f steps/s  %s left",
                state.epoch, state.epochs, state.step, state.nll, state.evaluations, steps_a_second,
                time_text(left).c_str());
  std::string line;
  constexpr std::size_t narrowest = 6;
  const std::size_t used = std::string_view(numbers.data()).size() + 2;
  if (width >= used + narrowest) {
    const std::size_t room = std::min<std::size_t>(width - used, 30);
    const double share = static_cast<double>(state.step) / static_cast<double>(state.steps);
    const auto done = static_cast<std::size_t>(share * static_cast<double>(room));
    line = "[" + std::string(done, '=') + std::string(room - done, ' ') + "]";
  }
  return (line + numbers.data()).substr(0, width);
}

Progress::Progress(const char* held_out) : held_out_(held_out), is_terminal_(can_redraw()) {}

double Progress::rate(const ProgressState& state) const {
  const std::chrono::duration<double> passed = Clock::now() - began_;
  return static_cast<double>(state.step - first_step_) / std::max(passed.count(), 1e-9);
}

void Progress::update(const ProgressState& state) {
  if (!is_terminal_) return;
  const Clock::time_point now = Clock::now();
  if (first_step_ < 0) {  // before it, there is no rate
    first_step_ = state.step;
    began_ = now;
    return;
  }
  constexpr std::chrono::milliseconds interval(100);
  if (now - drawn_ < interval) return;
  drawn_ = now;
  is_drawn_ = true;
  // One column less: a full line would make some terminals wrap. Then erase to the line's end.
  std::fprintf(stderr, "\r%s\x1b[K",
               progress_bar(state, rate(state), terminal_width() - 1).c_str());
}

void Progress::end_epoch(const ProgressState& state, double held_out_nll) {
  if (is_terminal_) return;
  std::fprintf(stderr, "epoch %td/%td  step %td  train NLL %.3f  %s NLL %.3f  %.0f evaluations\n",
               state.epoch, state.epochs, state.step, state.nll, held_out_, held_out_nll,
               state.evaluations);
}

void Progress::finish() {
  if (is_drawn_) std::fputs("\r\x1b[K", stderr);
  is_drawn_ = false;
}

}  // namespace fjord::apps
