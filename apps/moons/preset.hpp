/// Named ways to train on the moons.
#pragma once

#include <optional>
#include <string_view>

#include "fjord/apps/moons/options.hpp"

namespace fjord::apps {

/// What options are if they are not given, and what no option says.
struct Preset {
  std::string_view name;
  Index epochs;
  Index batch;
  double rate;
  Index blocks;
  const char* hidden;
  const char* method;
  const char* schedule;           ///< a name of optim::schedules
  std::optional<double> average;  ///< decay of the average of the parameters that is kept; or none

  /// Sets the options of the preset.
  void apply(TrainOptions& options) const;
};

/// The preset of that name.
///
/// Errors:  std::invalid_argument, which lists the names, if there is none.
const Preset& preset_named(std::string_view name);

}  // namespace fjord::apps
