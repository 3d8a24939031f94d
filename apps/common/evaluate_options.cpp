#include "fjord/apps/common/evaluate_options.hpp"

#include "fjord/apps/common/option_checks.hpp"
#include "fjord/apps/common/table_output.hpp"

namespace fjord::apps {

std::vector<Option> options_of(ScoreOptions& o) {
  return {
      {"model", &o.model, "model file"},
      {"data", &o.data, "table of points: .npy, CSV, or - for CSV from standard input"},
      {"out", &o.out, "file for the log-densities: .npy, .csv, or - for CSV to standard output"},
      {"header", &o.header,
       "yes or no: whether the first line of CSV names the columns; detected if not given"},
      {"rtol", &o.rtol, "relative tolerance of the solves"},
      {"atol", &o.atol, "absolute tolerance of the solves"},
      {"precision", &o.precision, "precision of the computation: double or float"},
      {"trace", &o.trace, "trace of the Jacobian: exact or hutchinson"},
      {"seed", &o.seed, "seed of the random probes of --trace hutchinson"},
      {"threads", &o.threads, "number of threads; 0: one for each core that it may use"}};
}

std::vector<Option> options_of(SampleOptions& o) {
  return {{"model", &o.model, "model file"},
          {"count", &o.count, "number of samples"},
          {"out", &o.out, "file for the samples: .npy, .csv, or - for CSV to standard output"},
          {"seed", &o.seed, "seed of the samples"},
          {"rtol", &o.rtol, "relative tolerance of the solves"},
          {"atol", &o.atol, "absolute tolerance of the solves"},
          {"threads", &o.threads, "number of threads; 0: one for each core that it may use"}};
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
      {"header", &o.header,
       "yes or no: whether the first line of CSV names the columns; detected if not given"}};
}

void check_options(const ScoreOptions& o) {
  check_name("model", o.model, "a file");
  check_name("data", o.data, "a file");
  check_name("out", o.out, "a file");
  check_table_name(o.out);
  if (!o.header.empty()) check_choice("header", o.header, {"no", "yes"});
  check_solver(o.rtol, o.atol, o.trace);
  check_choice("precision", o.precision, {"double", "float"});
  check_seed(o.seed);
  check_threads(o.threads);
}

void check_options(const SampleOptions& o) {
  check_name("model", o.model, "a file");
  check_name("out", o.out, "a file");
  check_table_name(o.out);
  if (o.conditions.empty()) check_count("count", o.count);
  if (!o.header.empty()) check_choice("header", o.header, {"no", "yes"});
  check_solver(o.rtol, o.atol, "exact");
  check_seed(o.seed);
  check_threads(o.threads);
}

}  // namespace fjord::apps
