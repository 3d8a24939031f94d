#include "fjord/apps/moons/options.hpp"

#include <array>
#include <cstdio>
#include <vector>

#include <CLI/CLI.hpp>

#include "fjord/apps/common/command_line.hpp"
#include "fjord/apps/common/option_checks.hpp"
#include "fjord/apps/common/solver_settings.hpp"
#include "fjord/apps/common/version.hpp"
#include "fjord/apps/moons/preset.hpp"
#include "fjord/autodiff/errors.hpp"

namespace fjord::apps {
namespace {

std::vector<Option> options_of(TrainOptions& o) {
  return {{"preset", &o.preset,
           "demo: as the notebook trains; best: longer, for a better model in five seconds"},
          {"out", &o.out, "folder for the results"},
          {"epochs", &o.epochs, "number of passes over the training points"},
          {"batch", &o.batch, "number of points in a training step"},
          {"rate", &o.rate, "Adam's step length"},
          {"points", &o.points, "number of training points"},
          {"noise", &o.noise, "standard deviation of the noise on the points"},
          {"blocks", &o.blocks, "number of FFJORD blocks"},
          {"hidden", &o.hidden, "widths of the hidden layers, for example 8,8"},
          {"activation", &o.activation,
           "activation of the hidden layers: tanh, softplus, elu, silu, gelu, sigmoid or sin"},
          {"rtol", &o.rtol, "relative tolerance of the solves"},
          {"atol", &o.atol, "absolute tolerance of the solves"},
          {"trace", &o.trace, "trace of the Jacobian: exact or hutchinson"},
          {"method", &o.method, "method of the solves, for example tsitouras"},
          {"gradient", &o.gradient,
           "gradient of the solves, for example direct, checkpointed or adjoint"},
          {"seed", &o.seed, "seed of the initial weights, noise, shuffling and samples"},
          threads_option(o.threads),
          {"precision", &o.precision, "precision of the computation: float or double"}};
}

void check_train_options(TrainOptions& o) {
  check_count("epochs", o.epochs);
  check_count("batch", o.batch);
  check_count("points", o.points);
  check_count("blocks", o.blocks, 10'000);
  check_positive("rate", o.rate);
  check_not_negative("noise", o.noise);
  widths_of(o.hidden);
  check_activation(o.activation);
  check_solver(o.rtol, o.atol, o.trace);
  check_choice("method", o.method, method_names());
  check_choice("gradient", o.gradient, gradient_names());
  check_gradient_suits(o.gradient, o.method);
  check_choice("precision", o.precision, {"double", "float"});
  check_seed(o.seed);
  check_threads(o.threads);
  check_name("out", o.out, "a folder");
  check_config_texts(options_of(o));
}

}  // namespace

Command parse_command_line(int argc, char** argv) {
  TrainOptions train;
  ScoreOptions score;
  SampleOptions sample;
  std::string config;
  CLI::App app(
      "Trains continuous normalizing flows on the two moons, and applies models to tables.",
      "moons");
  app.require_subcommand(0, 1);
  bool version = false;
  app.add_flag("--version", version, "print the version, the processor and the BLAS");
  CLI::App* train_command =
      add_command(app, "train", "train a flow on the two moons", options_of(train));
  train_command->add_option(
      "--config", config, "TOML file with values of these options; the command line wins over it");
  train_command->add_flag("--resume", train.resume,
                          "continue the run in --out from its checkpoint");
  CLI::App* score_command = add_command(
      app, "score", "compute the log-density of every row of a table", options_of(score));
  CLI::App* sample_command =
      add_command(app, "sample", "draw samples from a model", options_of(sample));
  constexpr std::array needed{"--model", "--data", "--count", "--out"};
  for (CLI::App* command : {score_command, sample_command}) require_options(*command, needed);
  // A preset sets the defaults, which the file wins over, and the command line over both.
  const std::string file = early_value("--config", argc, argv);
  if (!file.empty()) read_config(file, options_of(train), "moons train");
  if (const std::string preset = early_value("--preset", argc, argv); !preset.empty())
    train.preset = preset;
  preset_named(train.preset).apply(train);
  if (!file.empty()) read_config(file, options_of(train), "moons train");
  if (!parse(app, argc, argv)) return {};
  if (version) {
    std::fputs(version_text(app.get_name()).c_str(), stdout);
    return {};
  }
  if (score_command->parsed()) {
    check_options(score);
    return score;
  }
  if (sample_command->parsed()) {
    check_options(sample);
    return sample;
  }
  require(train_command->parsed(), "arguments",
          "train, score or sample is needed; see moons --help");
  check_train_options(train);
  return train;
}

std::map<std::string, std::string> settings_of(const TrainOptions& options) {
  TrainOptions copy = options;
  return settings_of(options_of(copy));
}

std::string config_text(const TrainOptions& options) {
  TrainOptions copy = options;
  return config_text(options_of(copy));
}

flows::FlowSettings flow_settings(const TrainOptions& options) {
  flows::FlowSettings settings;
  settings.blocks = options.blocks;
  settings.hidden = widths_of(options.hidden);
  settings.activation = options.activation;
  return settings;
}

}  // namespace fjord::apps
