/// The files that a training run leaves in its folder.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "fjord/apps/common/checkpoint.hpp"
#include "fjord/apps/common/run_folder.hpp"
#include "fjord/nn/safetensors.hpp"

namespace fjord::apps {

/// The run that files belong to.
struct RunSetup {
  const char* program = "";  ///< its name, for notes
  std::string out;           ///< the folder
  bool resume = false;       ///< whether to go on from a checkpoint
  Settings settings;
  Settings defaults;               ///< of settings that a checkpoint may not name yet
  std::vector<const char*> names;  ///< of its files, beside checkpoint and metrics
  std::chrono::nanoseconds between_checkpoints = std::chrono::minutes(10);  ///< at most
};

/// The folder of one run, its checkpoint and its metrics.
class RunFiles final {
 public:
  using Clock = std::chrono::steady_clock;

  /// Owns the folder.
  ///
  /// Errors:  std::invalid_argument if another run owns it, if files are there that no run has
  ///          left, or an unfinished run where `resume` is not asked for; and as load_checkpoint();
  ///          std::system_error if the folder cannot be made or read.
  explicit RunFiles(RunSetup setup);

  static std::filesystem::path checkpoint(const std::string& out);

  /// The state to go on from; without tensors if the run starts at its beginning. Once only.
  nn::State take_state() { return std::move(state_); }

  /// Leaves the first checkpoint, and removes the files of an earlier run, which must not pass for
  /// those of this one meanwhile.
  void begin(nn::State state);

  /// Sets the start of this part of the run; until then seconds() are those of the parts before.
  void start_clock(Clock::time_point began) { began_ = began; }

  /// Adds what came since the start to seconds(), where they stay.
  void stop_clock();

  /// Wall time of the run, all its parts.
  double seconds() const;

  /// Whether the last checkpoint is so old that one is due within an epoch.
  bool is_checkpoint_due() const { return Clock::now() - saved_ > setup_.between_checkpoints; }

  void save(nn::State state);

  /// Leaves the checkpoint of a run that came to its end.
  void close(nn::State state);

  /// Adds a line to the metrics, which write_metrics() writes, with one more line at their end.
  void add_metrics(const std::string& line) { record_.metrics += line + "\n"; }

  void write_metrics(const std::string& last = "") const;

  /// The path of a file; errors as RunFolder::file().
  std::filesystem::path file(const std::string& name) const { return folder_.file(name); }

 private:
  void open();

  RunSetup setup_;
  RunFolder folder_;
  RunRecord record_;
  nn::State state_;
  Clock::time_point began_;  // the clock's zero while it stands
  Clock::time_point saved_ = Clock::now();
};

}  // namespace fjord::apps
