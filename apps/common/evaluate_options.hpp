/// The options of the commands that apply a trained model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fjord/apps/common/option.hpp"

namespace fjord::apps {

/// The settings of the commands that hold a model against rows.
struct ApplyOptions {
  std::string model;
  std::string data;
  std::string out;
  std::string header;  ///< yes or no; empty: decided by the first line
  double rtol = 1e-6;
  double atol = 1e-6;
  std::string precision = "double";
  std::uint64_t seed = 0;
  Index threads = 0;  ///< 0: the cores that the process may use
};

struct ScoreOptions : ApplyOptions {
  std::string trace = "exact";
  std::string conditions;  ///< table of what is given; empty: columns of `data`
  bool levels = false;     ///< whether the rows' levels are written, too
};

struct SampleOptions {
  std::string model;
  Index count = 0;  ///< 0: one for each row of the conditions
  std::string conditions;
  std::string header;  ///< as in ApplyOptions
  std::string out;
  std::uint64_t seed = 0;
  double rtol = 1e-3;
  double atol = 1e-5;
  Index threads = 0;  ///< 0: the cores that the process may use
};

/// The table of a command's options; it refers to the struct. Of ApplyOptions it is without --out,
/// which is about another kind of file in every command.
std::vector<Option> options_of(ApplyOptions& options);
std::vector<Option> options_of(ScoreOptions& options);
std::vector<Option> options_of(SampleOptions& options);

/// What the commands also take where a model may be about columns that are given.
std::vector<Option> conditional_options_of(ScoreOptions& options);
std::vector<Option> conditional_options_of(SampleOptions& options);

/// Refuses options that are out of their ranges.
///
/// Errors:  std::invalid_argument "[--option] ...".
void check_options(const ApplyOptions& options);
void check_options(const ScoreOptions& options);
void check_options(const SampleOptions& options);

}  // namespace fjord::apps
