#include "fjord/apps/common/stop_signal.hpp"

#include <csignal>
#include <initializer_list>

namespace fjord::apps {
namespace {

volatile std::sig_atomic_t noted_signal = 0;

}  // namespace

void catch_stop_signals() {
  const auto note = [](int signal) {
    noted_signal = signal;
    std::signal(signal, SIG_DFL);
  };
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction inherited {};

    sigaction(signal, nullptr, &inherited);
    if (inherited.sa_handler != SIG_IGN) std::signal(signal, note);
  }
}

int stop_signal() {
  return noted_signal;
}

}  // namespace fjord::apps
