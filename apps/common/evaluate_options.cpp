#include "fjord/apps/common/evaluate_options.hpp"

#include "fjord/apps/common/option_checks.hpp"
#include "fjord/apps/common/table_output.hpp"

namespace fjord::apps {

std::vector<Option> options_of(ApplyOptions& o) {
  return {{"model", &o.model, "model file"},
          {"data", &o.data,
           "table of rows: .npy, a folder of parts, CSV, or - for CSV from standard input"},
          header_option(o.header),
          {"rtol", &o.rtol, "relative tolerance of the solves"},
          {"atol", &o.atol, "absolute tolerance of the solves"},
          {"precision", &o.precision, "precision of the computation: double or float"},
          {"seed", &o.seed, "seed of all that is random"},
          threads_option(o.threads)};
}

std::vector<Option> options_of(ScoreOptions& o) {
  std::vector<Option> options = options_of(static_cast<ApplyOptions&>(o));
  options.push_back(
      {"out", &o.out,
       "file for the log-densities, -inf where there is no density: .npy, .csv, or - for CSV to "
       "standard output"});
  options.push_back({"trace", &o.trace, "trace of the Jacobian: exact or hutchinson"});
  return options;
}

std::vector<Option> options_of(SampleOptions& o) {
  return {{"model", &o.model, "model file"},
          {"count", &o.count, "number of samples"},
          {"out", &o.out, "file for the samples: .npy, .csv, or - for CSV to standard output"},
          {"seed", &o.seed, "seed of the samples"},
          {"rtol", &o.rtol, "relative tolerance of the solves"},
          {"atol", &o.atol, "absolute tolerance of the solves"},
          threads_option(o.threads)};
}

std::vector<Option> conditional_options_of(ScoreOptions& o) {
  return {{"levels", &o.levels,
           "write the share of the model's mass that is denser than each row, too"},
          {"conditions", &o.conditions,
           "table of what is given of each row; columns of --data if it is not given"}};
}

std::vector<Option> conditional_options_of(SampleOptions& o) {
  return {
      {"conditions", &o.conditions, "table of what is given: a row is drawn for each of its rows"},
      header_option(o.header)};
}

void check_options(const ApplyOptions& o) {
  check_name("model", o.model, "a file");
  check_header(o.header);
  check_solver(o.rtol, o.atol, "exact");
  check_choice("precision", o.precision, {"double", "float"});
  check_seed(o.seed);
  check_threads(o.threads);
}

void check_options(const ScoreOptions& o) {
  check_options(static_cast<const ApplyOptions&>(o));
  check_name("data", o.data, "a file");
  check_name("out", o.out, "a file");
  check_table_name(o.out);
  check_solver(o.rtol, o.atol, o.trace);
}

void check_options(const SampleOptions& o) {
  check_name("model", o.model, "a file");
  check_name("out", o.out, "a file");
  check_table_name(o.out);
  if (o.conditions.empty()) check_count("count", o.count);
  check_header(o.header);
  check_solver(o.rtol, o.atol, "exact");
  check_seed(o.seed);
  check_threads(o.threads);
}

}  // namespace fjord::apps
