/// Checkpoints: all that a run needs to go on to the same bits.
#pragma once

#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>

#include "fjord/nn/safetensors.hpp"

namespace fjord::apps {

/// What a program keeps of a run besides the state of its training.
struct RunRecord {
  double seconds = 0;   ///< of wall time
  std::string metrics;  ///< the lines of metrics.jsonl so far
  bool finished = false;
};

/// Settings by name, as text.
using Settings = std::map<std::string, std::string>;

/// The bytes of a file with the state of a training run (flows::Fit), its record and its settings.
std::string format_checkpoint(nn::State state, const RunRecord& record, const Settings& settings);

/// Whether the file is the checkpoint of a run that did not come to its end.
///
/// Errors:  std::invalid_argument if there is such a file and it is not a checkpoint.
bool is_unfinished(const std::filesystem::path& file);

struct Checkpoint {
  nn::State state;  ///< of the training
  RunRecord record;
};

/// Reads a checkpoint. Settings but `epochs`, `minutes`, `threads` and `out` must be those of the
/// checkpoint; one that the checkpoint does not name must be its default.
///
/// Errors:  std::invalid_argument if the file is not a checkpoint, or a setting differs or is
///          unknown, which it names.
Checkpoint load_checkpoint(const std::filesystem::path& file, const Settings& settings,
                           const Settings& defaults);

/// Throws std::invalid_argument "[checkpoint] FILE: message", with what to do.
[[noreturn]] void refuse_checkpoint(const std::filesystem::path& file, const std::string& message);

/// Lets a training run go on from a checkpoint's state.
///
/// Errors:  std::invalid_argument, which names the file, if the state does not fit.
template <class Run>
void restore(Run& run, const nn::State& state, const std::filesystem::path& file) {
  try {
    run.restore(state);
  } catch (const std::invalid_argument& error) {
    refuse_checkpoint(file, error.what());
  }
}

}  // namespace fjord::apps
