/// Ctrl-C and SIGTERM as requests that long work answers at its next good place.
#pragma once

namespace fjord::apps {

/// From now on the first SIGINT or SIGTERM is only noted; a second one ends the program at once.
///
/// A signal that the parent process ignores, as nohup and shells do for background jobs, stays
/// ignored.
void catch_stop_signals();

/// The signal that was noted, or 0.
int stop_signal();

}  // namespace fjord::apps
