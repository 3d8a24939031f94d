/// Named ways to fit a table.
#pragma once

#include <string>

#include "fjord/apps/density/options.hpp"

namespace fjord::apps::density {

/// Errors:  std::invalid_argument, which lists the names, if there is no such preset.
void check_preset(const std::string& name);

/// Sets the options that were left to the preset, by the numbers of training rows and of columns,
/// those that are given among them.
void apply_preset(FitOptions& options, Index rows, Index columns);

/// What no option says of the training.
struct TrainingHabits {
  double weight_decay = 0;  ///< of the networks
  double average = 0;       ///< decay of the average of the parameters
  Index patience = 0;       ///< epochs without a better likelihood of the validation rows
};

TrainingHabits habits_of(const FitOptions& options, Index rows);

}  // namespace fjord::apps::density
