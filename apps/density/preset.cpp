#include "fjord/apps/density/preset.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "fjord/apps/common/option_checks.hpp"

namespace fjord::apps::density {
namespace {

struct Networks {
  Index blocks;
  const char* hidden;
};

struct Preset {
  const char* name;
  Index members;  // for few rows
  Networks few_rows;
  Networks more_rows;
  double visits;  // of training rows, in all
  Index least_epochs;
  Index most_epochs;
  Index layers;  // of splines
  double spline_visits;
};

constexpr std::array presets{
    Preset{"fast", 2, {1, "16,16"}, {1, "16,16"}, 4e5, 4, 300, 3, 1e6},
    Preset{"balanced", 8, {2, "16,16"}, {2, "16,16"}, 1.5e6, 12, 600, 5, 3e6},
    Preset{"best", 12, {2, "16,16"}, {3, "32,32"}, 6e6, 40, 1'500, 5, 1.2e7}};

const Preset& preset_named(const std::string& name) {
  const auto* found =
      std::ranges::find_if(presets, [&](const Preset& preset) { return name == preset.name; });
  return found == presets.end() ? presets[1] : *found;
}

}  // namespace

void check_preset(const std::string& name) {
  std::set<std::string> names;
  for (const Preset& preset : presets) names.emplace(preset.name);
  check_choice("preset", name, names);
}

void apply_preset(FitOptions& options, Index rows, Index columns) {
  const Preset& preset = preset_named(options.preset);
  // Below this, large networks learn the rows by heart, and means of several flows are worth most.
  constexpr Index few = 1'000;
  const Networks& networks = rows < few ? preset.few_rows : preset.more_rows;
  // Splines learn faster where rows are many, and FFJORD is smoother where they are few.
  constexpr Index many = 5'000;
  if (options.flow.empty())
    options.flow = rows < many || options.method == "matching" ? "ffjord" : "spline";
  const bool is_spline = options.flow == "spline";
  // The trace of FFJORD takes as many products as there are columns.
  constexpr Index wide = 15;
  const bool is_slow = !is_spline && columns > wide;
  if (options.epochs == 0) {
    const double visits = is_spline ? preset.spline_visits : preset.visits;
    options.epochs = std::clamp(static_cast<Index>(visits / static_cast<double>(rows)),
                                preset.least_epochs, preset.most_epochs);
    if (is_slow) options.epochs = std::max(preset.least_epochs, options.epochs * wide / columns);
  }
  if (options.batch == 0) options.batch = rows < 4'000 ? std::min<Index>(rows, 128) : 256;
  if (options.rate == 0) options.rate = is_spline ? 0.003 : rows < 2'000 ? 0.02 : 0.01;
  if (options.members == 0) {
    const Index share = rows < few ? 1 : rows < many ? 2 : preset.members;
    options.members = std::max<Index>(1, preset.members / share / (is_slow ? 2 : 1));
  }
  if (options.blocks == 0)
    options.blocks = options.method == "matching" || is_slow ? 1
                     : is_spline                             ? preset.layers
                                                             : networks.blocks;
  if (options.hidden.empty()) options.hidden = is_spline ? "64,64" : networks.hidden;
}

TrainingHabits habits_of(const FitOptions& options, Index rows) {
  TrainingHabits habits;
  // Tables of a few hundred rows must be held back; larger ones need not.
  habits.weight_decay = std::min(1.0, std::pow(120 / static_cast<double>(rows), 2));
  const double steps = std::ceil(static_cast<double>(rows) / static_cast<double>(options.batch));
  habits.average = std::clamp(1 - 0.2 / steps, 0.95, 0.999);
  habits.patience = std::max<Index>(5, options.epochs / 5);
  return habits;
}

}  // namespace fjord::apps::density
