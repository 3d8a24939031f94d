/// The command line of moons.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>

#include "fjord/apps/common/evaluate_options.hpp"
#include "fjord/flows/ffjord_chain.hpp"

namespace fjord::apps {

/// The settings of a training run; every field is an option of the command line and a key of
/// config.toml.
struct TrainOptions {
  std::string preset = "demo";  ///< what the others are if they are not given: see preset.hpp
  std::string out = "runs/moons";
  Index epochs = 40;
  Index batch = 256;
  double rate = 0.01;
  Index points = 8192;
  double noise = 0.06;
  Index blocks = 4;
  std::string hidden = "8,8";
  std::string activation = "tanh";
  double rtol = 1e-3;
  double atol = 1e-5;
  std::string trace = "exact";
  std::string method = "dormand_prince";
  std::string gradient = "direct";
  std::uint64_t seed = 0;
  Index threads = 0;  ///< 0: the cores that the process may use
  std::string precision = "float";
  bool resume = false;  ///< not a key of config.toml
};

/// The command that was given; monostate if it asked for help or the version, which have been
/// printed.
using Command = std::variant<std::monostate, TrainOptions, ScoreOptions, SampleOptions>;

/// Reads the command line, which wins over --config, which wins over the defaults.
///
/// Errors:  std::invalid_argument, one line, for anything unknown, missing or out of its range.
Command parse_command_line(int argc, char** argv);

/// The settings by name, as text: the lines of config.toml and what --resume compares.
std::map<std::string, std::string> settings_of(const TrainOptions& options);

/// The text of config.toml; reading it back gives the same run.
std::string config_text(const TrainOptions& options);

/// The architecture that the options ask for.
flows::FlowSettings flow_settings(const TrainOptions& options);

}  // namespace fjord::apps
