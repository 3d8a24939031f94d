#include "fjord/apps/moons/preset.hpp"

#include <array>

#include "fjord/apps/common/option_checks.hpp"

namespace fjord::apps {
namespace {

constexpr std::array presets{
    // As the notebook trains.
    Preset{"demo", 40, 256, 0.01, 4, "8,8", "dormand_prince", "constant", std::nullopt},
    Preset{"best", 120, 256, 0.03, 4, "8,8", "dormand_prince", "cosine", std::nullopt}};

}  // namespace

void Preset::apply(TrainOptions& options) const {
  options.epochs = epochs;
  options.batch = batch;
  options.rate = rate;
  options.blocks = blocks;
  options.hidden = hidden;
  options.method = method;
}

const Preset& preset_named(std::string_view name) {
  std::set<std::string> names;
  for (const Preset& preset : presets) {
    if (preset.name == name) return preset;
    names.emplace(preset.name);
  }
  check_choice("preset", std::string(name), names);
  return presets[0];  // never: the name is not among them
}

}  // namespace fjord::apps
