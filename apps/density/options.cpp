#include "fjord/apps/density/options.hpp"

#include <array>
#include <cstdio>
#include <filesystem>
#include <vector>

#include <CLI/CLI.hpp>

#include "fjord/apps/common/command_line.hpp"
#include "fjord/apps/common/file_kind.hpp"
#include "fjord/apps/common/message.hpp"
#include "fjord/apps/common/option_checks.hpp"
#include "fjord/apps/common/version.hpp"
#include "fjord/apps/density/preset.hpp"
#include "fjord/autodiff/errors.hpp"

namespace fjord::apps::density {
namespace {

std::vector<Option> options_of(FitOptions& o) {
  return {
      {"preset", &o.preset, "fast, balanced or best: how long to train, and how large a flow"},
      {"out", &o.out, "folder for the results; runs/ and the table's name if not given"},
      {"columns", &o.columns, "names or numbers (from 1) of columns, as a,b,c; all by default"},
      {"given", &o.given, "columns that are known of a row: the others are modelled given these"},
      {"weights", &o.weights, "name or number of the column with the weight of each row"},
      header_option(o.header),
      {"drop-missing", &o.drop_missing, "leave out rows with missing values"},
      {"minutes", &o.minutes, "bound of the whole command, its report included; 0: none"},
      {"validation", &o.validation, "share of the rows that choose and stop the models"},
      {"test", &o.test, "share of the rows that the models are compared on"},
      {"epochs", &o.epochs, "most passes over the training rows; 0: by the preset"},
      {"batch", &o.batch, "number of rows in a training step; 0: by the preset"},
      {"rate", &o.rate, "step length of AdamW; 0: by the preset"},
      {"flow", &o.flow, "ffjord, or spline for layers of splines; by the preset if not given"},
      {"members", &o.members, "number of flows whose densities are averaged; 0: by the preset"},
      {"blocks", &o.blocks, "number of FFJORD blocks or layers of splines; 0: by the preset"},
      {"hidden", &o.hidden, "widths of the hidden layers, as 16,16; by the preset if not given"},
      {"method", &o.method,
       "what is minimised: likelihood or matching (flow matching, of one block)"},
      {"refit", &o.refit, "train once more on all rows, for the number of epochs that was best"},
      {"rtol", &o.rtol, "relative tolerance of the solves in training"},
      {"atol", &o.atol, "absolute tolerance of the solves in training"},
      {"seed", &o.seed, "seed of the split, the initial weights and the shuffling"},
      threads_option(o.threads),
      {"precision", &o.precision, "precision of the computation: float or double"}};
}

// With the table, which is no option on the command line.
std::vector<Option> settings_options(FitOptions& o) {
  std::vector<Option> options = options_of(o);
  options.insert(options.begin(), {"table", &o.table, "table of rows"});
  return options;
}

void check_share(const char* option, double share) {
  check_option(share > 0 && share < 1, option, "a number between 0 and 1", number_text(share));
}

void check_optional_count(const char* option, Index value, Index most) {
  if (value != 0) check_count(option, value, most);
}

void check_fit_options(FitOptions& o) {
  require(!o.table.empty(), "arguments", "a table is needed: density fit TABLE");
  if (o.out.empty()) {
    const std::string stem = std::filesystem::path(o.table).stem().string();
    o.out = "runs/" + (o.table == "-" || stem.empty() ? "table" : stem);
  }
  check_preset(o.preset);
  check_header(o.header);
  check_not_negative("minutes", o.minutes);
  check_share("validation", o.validation);
  check_share("test", o.test);
  check_option(o.validation + o.test < 1, "test", "less than 1 together with --validation",
               number_text(o.test));
  check_optional_count("epochs", o.epochs, 1'000'000'000);
  check_optional_count("batch", o.batch, 1'000'000'000);
  check_optional_count("members", o.members, 1'000);
  check_optional_count("blocks", o.blocks, 10'000);
  if (!o.flow.empty()) check_choice("flow", o.flow, {"ffjord", "spline"});
  check_choice("method", o.method, {"likelihood", "matching"});
  check_option(o.method == "likelihood" || o.flow != "spline", "flow",
               "ffjord with --method matching", o.flow);
  check_option(o.method == "likelihood" || o.blocks <= 1, "blocks", "1 with --method matching",
               std::to_string(o.blocks));
  check_not_negative("rate", o.rate);
  if (!o.hidden.empty()) widths_of(o.hidden);
  check_solver(o.rtol, o.atol, "exact");
  check_choice("precision", o.precision, {"double", "float"});
  check_seed(o.seed);
  check_threads(o.threads);
  check_config_texts(settings_options(o));
}

template <class Options>
std::vector<Option> with_conditions(Options& o) {
  std::vector<Option> options = apps::options_of(o);
  for (const Option& option : apps::conditional_options_of(o)) options.push_back(option);
  return options;
}

std::vector<Option> options_with_out(ApplyOptions& o, const char* help) {
  std::vector<Option> options = apps::options_of(o);
  options.push_back({"out", &o.out, help});
  return options;
}

struct Parsed {
  FitOptions fit;
  ScoreOptions score;
  SampleOptions sample;
  InfoOptions info;
  ConvertOptions convert;
  CheckOptions check;
  PlotOptions plot;
  ReportOptions report;
};

Command chosen(const CLI::App& app, Parsed& parsed) {
  if (app.got_subcommand("fit")) {
    check_fit_options(parsed.fit);
    return parsed.fit;
  }
  if (app.got_subcommand("score")) {
    check_options(parsed.score);
    return parsed.score;
  }
  if (app.got_subcommand("sample")) {
    check_options(parsed.sample);
    return parsed.sample;
  }
  if (app.got_subcommand("check")) {
    check_options(parsed.check);
    check_name("data", parsed.check.data, "a file");
    return parsed.check;
  }
  if (app.got_subcommand("plot")) {
    check_options(parsed.plot);
    check_name("out", parsed.plot.out, "a file");
    check_option(has_ending(parsed.plot.out, ".png"), "out", "a name that ends in .png",
                 parsed.plot.out);
    return parsed.plot;
  }
  if (app.got_subcommand("report")) {
    check_options(parsed.report);
    check_name("data", parsed.report.data, "a file");
    check_name("out", parsed.report.out, "a file");
    check_option(has_ending(parsed.report.out, ".html"), "out", "a name that ends in .html",
                 parsed.report.out);
    return parsed.report;
  }
  if (app.got_subcommand("convert")) {
    check_name("TABLE", parsed.convert.table, "a file");
    check_name("FOLDER", parsed.convert.folder, "a folder");
    check_header(parsed.convert.header);
    return parsed.convert;
  }
  require(app.got_subcommand("info"), "arguments",
          "fit, score, sample, check, plot, report, convert or info is needed; see density --help");
  check_name("model", parsed.info.model, "a file");
  return parsed.info;
}

}  // namespace

Command parse_command_line(int argc, char** argv) {
  Parsed parsed;
  std::string config;
  CLI::App app("Fits densities to tables, and applies them.", "density");
  app.require_subcommand(0, 1);
  bool version = false;
  app.add_flag("--version", version, "print the version, the processor and the BLAS");
  CLI::App* fit =
      add_command(app, "fit", "fit a density to the rows of a table", options_of(parsed.fit));
  fit->add_option("TABLE", parsed.fit.table,
                  "table of rows: .npy, a folder of parts, CSV, or - for standard input");
  fit->add_option("--config", config,
                  "TOML file with values of these options; the command line wins over it");
  fit->add_flag("--resume", parsed.fit.resume, "continue the run in --out from its checkpoint");
  CLI::App* score = add_command(app, "score", "compute the log-density of every row of a table",
                                with_conditions(parsed.score));
  CLI::App* sample =
      add_command(app, "sample", "draw rows from a model", with_conditions(parsed.sample));
  CLI::App* check = add_command(app, "check", "hold a model against rows: is it calibrated?",
                                apps::options_of(parsed.check));
  CLI::App* plot =
      add_command(app, "plot", "draw a model's columns and pairs of them, with rows over samples",
                  options_with_out(parsed.plot, "file for the picture, .png"));
  CLI::App* report =
      add_command(app, "report", "write one HTML file with all that is known of a model",
                  options_with_out(parsed.report, "file for the report, .html"));
  CLI::App* convert =
      add_command(app, "convert", "write a table as parts that are read without loading them",
                  std::array{header_option(parsed.convert.header)});
  convert->add_option("TABLE", parsed.convert.table, "CSV or .npy, or - for standard input")
      ->required();
  convert->add_option("FOLDER", parsed.convert.folder, "new folder for the parts")->required();
  CLI::App* info = add_command(app, "info", "say what is in a model file", {});
  info->add_option("MODEL", parsed.info.model, "model file")->required();
  constexpr std::array needed{"--model", "--data", "--out"};
  for (CLI::App* command : {score, check, report}) require_options(*command, needed);
  constexpr std::array needed_without_data{"--model", "--out"};
  for (CLI::App* command : {sample, plot}) require_options(*command, needed_without_data);
  const std::string file = early_value("--config", argc, argv);
  if (!file.empty()) read_config(file, settings_options(parsed.fit), "density fit");
  if (!parse(app, argc, argv)) return {};
  if (version) {
    std::fputs(version_text(app.get_name()).c_str(), stdout);
    return {};
  }
  return chosen(app, parsed);
}

std::map<std::string, std::string> settings_of(const FitOptions& options) {
  FitOptions copy = options;
  return apps::settings_of(settings_options(copy));
}

std::string config_text(const FitOptions& options) {
  FitOptions copy = options;
  return apps::config_text(settings_options(copy));
}

}  // namespace fjord::apps::density
