/// The command line of density.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>

#include "fjord/apps/common/evaluate_options.hpp"

namespace fjord::apps::density {

/// The settings of a fit; every field is an option of the command line and a key of config.toml.
struct FitOptions {
  std::string table;                ///< .npy, CSV, or - for CSV from standard input
  std::string preset = "balanced";  ///< what 0 or an empty text stands for below: see preset.hpp
  std::string out;                  ///< empty: runs/ and the table's name without its ending
  std::string columns;              ///< names or numbers with commas between them; empty: all
  std::string given;                ///< names or numbers of columns that are known of a row
  std::string weights;              ///< name or number of a column; empty: every row counts as one
  std::string header;               ///< yes or no; empty: decided by the first line
  bool drop_missing = false;
  /// Of the whole command, but for reading a table and standardising its columns, which take as
  /// long as they do; 0: no bound.
  double minutes = 0;
  double validation = 0.1;
  double test = 0.1;
  Index epochs = 0;
  Index batch = 0;
  double rate = 0;
  std::string flow;  ///< ffjord or spline; empty: by the preset
  Index members = 0;
  Index blocks = 0;
  std::string hidden;
  std::string method = "likelihood";  ///< or matching
  bool refit = false;
  double rtol = 1e-3;
  double atol = 1e-4;
  std::uint64_t seed = 0;
  Index threads = 0;  ///< 0: the cores that the process may use
  std::string precision = "float";
  bool resume = false;  ///< not a key of config.toml
};

struct InfoOptions {
  std::string model;
};

struct ConvertOptions {
  std::string table;   ///< any table, or - for CSV from standard input
  std::string folder;  ///< for the parts
  std::string header;  ///< yes or no; empty: decided by the first line
};

struct CheckOptions : ApplyOptions {};

struct PlotOptions : ApplyOptions {};

struct ReportOptions : ApplyOptions {};

/// The command that was given; monostate if it asked for help or the version, which have been
/// printed.
using Command = std::variant<std::monostate, FitOptions, ScoreOptions, SampleOptions, InfoOptions,
                             ConvertOptions, CheckOptions, PlotOptions, ReportOptions>;

/// Reads the command line, which wins over --config, which wins over the defaults.
///
/// Errors:  std::invalid_argument, one line, for anything unknown, missing or out of its range.
Command parse_command_line(int argc, char** argv);

/// The settings by name, as text: the lines of config.toml and what --resume compares.
std::map<std::string, std::string> settings_of(const FitOptions& options);

/// The text of config.toml; reading it back gives the same fit.
std::string config_text(const FitOptions& options);

}  // namespace fjord::apps::density
