#include "fjord/apps/moons/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <set>

#include <CLI/CLI.hpp>
#include <toml++/toml.h>

#include "fjord/apps/common/cores.hpp"
#include "fjord/apps/common/message.hpp"
#include "fjord/apps/moons/version.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/nn/activation.hpp"

namespace fjord::apps {
namespace {

using Target = std::variant<Index*, std::uint64_t*, double*, std::string*>;

// One option: its name on the command line and in config.toml, and where its value goes.
struct Setting {
  const char* name;
  Target target;
  const char* help;
};

std::vector<Setting> settings(TrainOptions& o) {
  return {{"out", &o.out, "folder for the results"},
          {"epochs", &o.epochs, "passes over the training points"},
          {"batch", &o.batch, "rows of a training step"},
          {"rate", &o.rate, "Adam's step length"},
          {"points", &o.points, "training points"},
          {"noise", &o.noise, "deviation of the noise on the points"},
          {"blocks", &o.blocks, "FFJORD blocks"},
          {"hidden", &o.hidden, "widths of the hidden layers, as 8,8"},
          {"activation", &o.activation, "tanh, softplus, elu, silu, gelu, sigmoid or sin"},
          {"rtol", &o.rtol, "relative tolerance of the solves"},
          {"atol", &o.atol, "absolute tolerance of the solves"},
          {"trace", &o.trace, "exact or hutchinson"},
          {"gradient", &o.gradient, "direct or adjoint"},
          {"seed", &o.seed, "moves initial weights, noise, shuffling and samples"},
          {"threads", &o.threads, "threads; all cores it may use if 0 or not given"},
          {"precision", &o.precision, "float or double"}};
}

std::vector<Setting> settings(ScoreOptions& o) {
  return {{"model", &o.model, "model file"},
          {"data", &o.data, "points: .npy, CSV, or - for CSV from standard input"},
          {"out", &o.out, "log-densities: .npy, .csv, or - for CSV to standard output"},
          {"header", &o.header, "yes or no: whether the first line of CSV names the columns"},
          {"rtol", &o.rtol, "relative tolerance of the solves"},
          {"atol", &o.atol, "absolute tolerance of the solves"},
          {"precision", &o.precision, "double or float"},
          {"trace", &o.trace, "exact or hutchinson"},
          {"seed", &o.seed, "moves the probes of hutchinson"},
          {"threads", &o.threads, "threads; all cores it may use if 0 or not given"}};
}

std::vector<Setting> settings(SampleOptions& o) {
  return {{"model", &o.model, "model file"},
          {"count", &o.count, "samples to draw"},
          {"out", &o.out, "samples: .npy, .csv, or - for CSV to standard output"},
          {"seed", &o.seed, "moves the samples"},
          {"rtol", &o.rtol, "relative tolerance of the solves"},
          {"atol", &o.atol, "absolute tolerance of the solves"},
          {"threads", &o.threads, "threads; all cores it may use if 0 or not given"}};
}

std::string text_of(const Target& target) {
  return std::visit(
      [](const auto* value) -> std::string {
        using V = std::remove_cvref_t<decltype(*value)>;
        if constexpr (std::is_same_v<V, std::string>) {
          return *value;
        } else if constexpr (std::is_same_v<V, double>) {
          return number_text(*value);
        } else {
          return std::to_string(*value);
        }
      },
      target);
}

// ---- Ranges

void check(bool holds, const char* option, const std::string& expected, const std::string& got) {
  require(holds, std::string("--") + option,
          [&] { return expected + " is needed, got " + (got.empty() ? "nothing" : got); });
}

void check_count(const char* option, Index value, Index most = 1'000'000'000) {
  check(value > 0 && value <= most, option, "a whole number from 1 to " + std::to_string(most),
        std::to_string(value));
}

void check_positive(const char* option, double value) {
  check(value > 0 && std::isfinite(value), option, "a positive number", number_text(value));
}

void check_choice(const char* option, const std::string& value,
                  const std::set<std::string>& choices) {
  std::string list;
  for (const std::string& choice : choices) list += (list.empty() ? "" : " or ") + choice;
  check(choices.contains(value), option, list, value);
}

void check_solver(double rtol, double atol, const std::string& trace) {
  check_positive("rtol", rtol);
  check_positive("atol", atol);
  check_choice("trace", trace, {"exact", "hutchinson"});
}

void check_threads(Index threads) {
  check(threads >= 0 && threads <= 1024, "threads", "a whole number up to 1024",
        std::to_string(threads));
}

std::vector<Index> widths(const std::string& text) {
  std::vector<Index> result;
  const char* at = text.data();
  const char* end = at + text.size();
  while (true) {
    Index width = 0;
    const auto [next, error] = std::from_chars(at, end, width);
    const bool ok =
        error == std::errc() && width > 0 && width <= 65536 && (next == end || *next == ',');
    check(ok, "hidden", "a list of widths such as 8,8", text);
    result.push_back(width);
    if (next == end) return result;
    at = next + 1;
  }
}

// TOML has no larger whole numbers, and reads negative ones, which wrap around to larger ones here.
void check_seed(std::uint64_t seed) {
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  check(seed <= largest, "seed", "a whole number from 0 to " + std::to_string(largest),
        std::to_string(static_cast<std::int64_t>(seed)));
}

void check_activation(const std::string& name) {
  std::set<std::string> names;
  for (const nn::Activation<float>& activation : nn::all_activations<float>()) {
    names.emplace(activation.name);
  }
  check_choice("activation", name, names);
}

// A folder's name may be any bytes, but TOML, and so config.toml, is UTF-8.
void check_name(const TrainOptions& o) {
  const toml::table read = toml::parse(config_text(o));
  check(read["out"].value<std::string>() == o.out, "out", "a name in UTF-8", printable(o.out));
}

void check_options(const TrainOptions& o) {
  check_count("epochs", o.epochs);
  check_count("batch", o.batch);
  check_count("points", o.points);
  check_count("blocks", o.blocks, 10'000);
  check_positive("rate", o.rate);
  check(o.noise >= 0 && std::isfinite(o.noise), "noise", "a number of at least 0",
        number_text(o.noise));
  widths(o.hidden);
  check_activation(o.activation);
  check_solver(o.rtol, o.atol, o.trace);
  check_choice("gradient", o.gradient, {"adjoint", "direct"});
  check_choice("precision", o.precision, {"double", "float"});
  check_seed(o.seed);
  check_threads(o.threads);
  check(!o.out.empty(), "out", "a folder", o.out);
  check_name(o);
}

void check_options(const ScoreOptions& o) {
  check(!o.out.empty(), "out", "a file", o.out);
  if (!o.header.empty()) check_choice("header", o.header, {"no", "yes"});
  check_solver(o.rtol, o.atol, o.trace);
  check_choice("precision", o.precision, {"double", "float"});
  check_seed(o.seed);
  check_threads(o.threads);
}

void check_options(const SampleOptions& o) {
  check(!o.out.empty(), "out", "a file", o.out);
  check_count("count", o.count);
  check_solver(o.rtol, o.atol, "exact");
  check_seed(o.seed);
  check_threads(o.threads);
}

// ---- config.toml

void read_value(const Setting& setting, const toml::node& value, const std::string& file) {
  const auto put = [&](auto* target, const auto& read) {
    require(read.has_value(), "--config",
            [&] { return file + ": the key " + setting.name + " has a value of the wrong kind"; });
    *target = static_cast<std::remove_pointer_t<decltype(target)>>(*read);
  };
  std::visit(
      [&](auto* target) {
        using V = std::remove_pointer_t<decltype(target)>;
        if constexpr (std::is_same_v<V, std::string>) {
          put(target, value.value<std::string>());
        } else if constexpr (std::is_same_v<V, double>) {
          put(target, value.value<double>());
        } else {
          put(target,
              value.is_integer() ? value.value<std::int64_t>() : std::optional<std::int64_t>());
        }
      },
      setting.target);
}

void read_config(const std::string& file, TrainOptions& options) {
  const std::string text = read_file(file);
  toml::table table;
  try {
    table = toml::parse(std::string_view(text));
  } catch (const toml::parse_error& error) {
    fail("--config", file + ":" + std::to_string(error.source().begin.line) + ": " +
                         std::string(error.description()));
  }
  const std::vector<Setting> known = settings(options);
  for (const auto& [key, value] : table) {
    const auto found = std::ranges::find_if(
        known, [&, &name = key](const Setting& s) { return name.str() == s.name; });
    require(found != known.end(), "--config", [&, &name = key] {
      return file + ": unknown key " + std::string(name.str()) + "; see moons train --help";
    });
    read_value(*found, value, file);
  }
}

// The file that --config names, before the rest is read, because the rest wins over it.
std::string config_file(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--config" && i + 1 < argc) return argv[i + 1];
    if (word.starts_with("--config=")) return word.substr(9);
  }
  return {};
}

// CLI11 would take blanks, nothing at all and what does not fit for numbers.
template <class V>
V number_of(const char* option, const std::string& text) {
  constexpr bool is_whole = std::is_integral_v<V>;
  V value{};
  const char* end = text.data() + text.size();
  const auto [next, error] = std::from_chars(text.data(), end, value);
  const std::string got = '"' + printable(text) + '"';
  check(next == end && error != std::errc::invalid_argument, option,
        is_whole ? "a whole number" : "a number", got);
  check(error == std::errc(), option,
        is_whole ? "a whole number between -2^63 and 2^63" : "a number within the range of double",
        got);
  return value;
}

void add_option(CLI::App& command, const Setting& setting) {
  const auto take = [setting](const std::string& text) {
    std::visit(
        [&](auto* target) {
          using V = std::remove_pointer_t<decltype(target)>;
          // Whole numbers with their sign, so that check_seed() can refuse one.
          using Read = std::conditional_t<std::is_integral_v<V>, std::int64_t, V>;
          if constexpr (std::is_same_v<V, std::string>) {
            *target = text;
          } else {
            *target = static_cast<V>(number_of<Read>(setting.name, text));
          }
        },
        setting.target);
  };
  constexpr std::array types{"INT", "INT", "FLOAT", "TEXT"};  // in the order of Target
  command.add_option_function<std::string>(std::string("--") + setting.name, take, setting.help)
      ->type_name(types[setting.target.index()])
      ->default_str(text_of(setting.target));
}

template <class Options>
CLI::App* add_command(CLI::App& app, const char* name, const char* help, Options& options) {
  CLI::App* command = app.add_subcommand(name, help);
  for (const Setting& setting : settings(options)) add_option(*command, setting);
  return command;
}

// CLI11's message in the words of the others.
std::string message_of(const CLI::ParseError& error) {
  std::string text = error.what();
  std::ranges::replace(text, '\n', ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  constexpr std::string_view conversion = "Could not convert: ";
  if (text.starts_with(conversion))
    text = text.substr(conversion.size()) + " has a value of the wrong kind";
  constexpr std::string_view extra = "The following argument";
  if (text.starts_with(extra)) text = "unknown:" + text.substr(text.find(':') + 1);
  return text + "; see moons --help";
}

}  // namespace

Command parse_command_line(int argc, char** argv) {
  TrainOptions train;
  ScoreOptions score;
  SampleOptions sample;
  std::string config;
  CLI::App app("Continuous normalizing flows on the two moons and on tables of your own.", "moons");
  app.require_subcommand(0, 1);
  bool version = false;
  app.add_flag("--version", version, "print version, processor and BLAS");
  CLI::App* train_command = add_command(app, "train", "train a flow on the two moons", train);
  train_command->add_option("--config", config, "read these options from a TOML file");
  train_command->add_flag("--resume", train.resume, "go on from the checkpoint in --out");
  CLI::App* score_command = add_command(app, "score", "log-densities of points", score);
  CLI::App* sample_command = add_command(app, "sample", "samples of a model", sample);
  for (CLI::App* command : {score_command, sample_command}) {
    for (const char* name : {"--model", "--data", "--count", "--out"}) {
      if (CLI::Option* option = command->get_option_no_throw(name)) option->required();
    }
  }
  const std::string file = config_file(argc, argv);
  if (!file.empty()) read_config(file, train);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    require(error.get_exit_code() == 0, "arguments", [&] { return message_of(error); });
    app.exit(error);  // prints the help that was asked for
    return {};
  }
  if (version) {
    std::fputs(version_text().c_str(), stdout);
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
  check_options(train);
  return train;
}

std::map<std::string, std::string> settings_of(const TrainOptions& options) {
  TrainOptions copy = options;
  std::map<std::string, std::string> result;
  for (const Setting& setting : settings(copy)) {
    result[setting.name] = text_of(setting.target);
  }
  return result;
}

std::string config_text(const TrainOptions& options) {
  TrainOptions copy = options;
  std::ostringstream text;
  for (const Setting& setting : settings(copy)) {
    text << setting.name << " = ";
    std::visit(
        [&](auto* target) {
          using V = std::remove_pointer_t<decltype(target)>;
          if constexpr (std::is_same_v<V, std::string>) {
            text << toml::value<std::string>(*target);
          } else if constexpr (std::is_same_v<V, double>) {
            text << number_text(*target);
          } else {
            text << static_cast<std::int64_t>(*target);
          }
        },
        setting.target);
    text << "\n";
  }
  return text.str();
}

flows::FlowSettings flow_settings(const TrainOptions& options) {
  flows::FlowSettings settings;
  settings.blocks = options.blocks;
  settings.hidden = widths(options.hidden);
  settings.activation = options.activation;
  return settings;
}

flows::SolverSettings flow_numerics(double rtol, double atol, const std::string& trace,
                                    const std::string& precision) {
  const bool is_float = precision == "float";
  const double finest = is_float ? static_cast<double>(std::numeric_limits<float>::epsilon())
                                 : std::numeric_limits<double>::epsilon();
  // Finer than the numbers, an error estimate is only rounding: the solves would take tens of
  // thousands of steps and be no better.
  require(std::max(rtol, atol) >= finest, "--rtol", [&] {
    return number_text(rtol) + " with --atol " + number_text(atol) + " is finer than " + precision +
           " numbers are; loosen one of them" + (is_float ? ", or compute in double" : "");
  });
  flows::SolverSettings numerics;
  numerics.solve.rtol = rtol;
  numerics.solve.atol = atol;
  numerics.trace = trace == "exact" ? flows::Trace::exact : flows::Trace::hutchinson;
  return numerics;
}

int thread_count(Index asked) {
  return asked > 0 ? static_cast<int>(asked) : usable_cores();
}

}  // namespace fjord::apps
