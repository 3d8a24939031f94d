/// Checkpoints: all that a run needs to go on to the same bits.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "fjord/nn/module.hpp"
#include "fjord/optim/optimizer.hpp"

namespace fjord::apps {

/// The position of a run, and its sums so far.
struct Position {
  Index epoch = 0;              ///< epochs that are complete
  Index batch = 0;              ///< batches of the next epoch that are done
  Index steps = 0;              ///< training steps in all
  double loss_sum = 0;          ///< over the rows of the epoch so far, nats
  double rows = 0;              ///< of the epoch so far
  double evaluation_sum = 0;    ///< over the steps of the epoch so far
  double last_evaluations = 0;  ///< mean over the steps of the last complete epoch
  double seconds = 0;           ///< of wall time
  std::string metrics;          ///< the lines of metrics.jsonl so far
  bool finished = false;
};

/// Settings by name, as text.
using Settings = std::map<std::string, std::string>;

/// Writes parameters, moments, position and settings.
template <class T>
void save_checkpoint(const std::filesystem::path& file, const nn::NamedParameters<T>& parameters,
                     const optim::Optimizer<T>& optimizer, const Position& position,
                     const Settings& settings);

/// Whether the file is the checkpoint of a run that did not come to its end.
///
/// Errors:  std::invalid_argument if there is such a file and it is not a checkpoint.
bool is_unfinished(const std::filesystem::path& file);

/// Restores a run. Settings but `epochs`, `threads` and `out` must be those of the checkpoint; one
/// that the checkpoint does not name must be its default.
///
/// Errors:  std::invalid_argument if the file is not a checkpoint, or a setting differs or is
///          unknown, which it names.
template <class T>
Position load_checkpoint(const std::filesystem::path& file,
                         const nn::NamedParameters<T>& parameters, optim::Optimizer<T>& optimizer,
                         const Settings& settings, const Settings& defaults);

}  // namespace fjord::apps
