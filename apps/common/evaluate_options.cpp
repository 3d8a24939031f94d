#include "fjord/apps/common/evaluate_options.hpp"

#include "fjord/apps/common/option_checks.hpp"

namespace fjord::apps {

std::vector<Option> options_of(ScoreOptions& o) {
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

std::vector<Option> options_of(SampleOptions& o) {
  return {{"model", &o.model, "model file"},
          {"count", &o.count, "samples to draw"},
          {"out", &o.out, "samples: .npy, .csv, or - for CSV to standard output"},
          {"seed", &o.seed, "moves the samples"},
          {"rtol", &o.rtol, "relative tolerance of the solves"},
          {"atol", &o.atol, "absolute tolerance of the solves"},
          {"threads", &o.threads, "threads; all cores it may use if 0 or not given"}};
}

void check_options(const ScoreOptions& o) {
  check_out(o.out, "a file");
  if (!o.header.empty()) check_choice("header", o.header, {"no", "yes"});
  check_solver(o.rtol, o.atol, o.trace);
  check_choice("precision", o.precision, {"double", "float"});
  check_seed(o.seed);
  check_threads(o.threads);
}

void check_options(const SampleOptions& o) {
  check_out(o.out, "a file");
  check_count("count", o.count);
  check_solver(o.rtol, o.atol, "exact");
  check_seed(o.seed);
  check_threads(o.threads);
}

}  // namespace fjord::apps
