#include "fjord/apps/common/evaluate.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <stdexcept>

#include "fjord/apps/common/cores.hpp"
#include "fjord/apps/common/memory.hpp"
#include "fjord/apps/common/solver_settings.hpp"
#include "fjord/apps/common/statistics.hpp"
#include "fjord/apps/common/table.hpp"
#include "fjord/apps/common/table_output.hpp"
#include "fjord/apps/common/trained_model.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/flows/sharded.hpp"

namespace fjord::apps {
namespace {

std::string count_text(Index count) {
  return std::to_string(count) + (count == 1 ? " number" : " numbers");
}

template <class T>
void check_finite(const Tensor<T>& log_probs) {
  for (Index i = 0; i < log_probs.size(); ++i) {
    if (std::isfinite(log_probs(i))) continue;
    throw std::range_error("row " + std::to_string(i + 1) +
                           " has a log-density beyond the range of numbers; leave it out");
  }
}

// The model's columns by their names, where both have some, or else all columns.
Table load_rows(const nn::State& state, const ScoreOptions& options) {
  const std::vector<std::string> columns = model_columns(options.model, state).columns;
  if (columns.empty()) return load_table(options.data, header_of(options.header));
  const LooseTable loose = load_loose_table(options.data, header_of(options.header));
  std::vector<Index> places(static_cast<std::size_t>(loose.table.values.shape()[1]));
  std::iota(places.begin(), places.end(), Index(0));
  const bool by_name = !loose.table.names.empty();
  if (by_name) places = places_of(columns, loose.table.names, options.data);
  return {by_name ? columns : loose.table.names,
          columns_of(loose, places, FileCheck("--data", options.data))};
}

template <class T>
void score_as(const nn::State& state, const Table& data, const ScoreOptions& options) {
  const auto model =
      model_in<T>(options.model, state,
                  solver_settings(options.rtol, options.atol, options.trace, options.precision));
  const Index rows = data.values.shape()[0];
  const Index columns = data.values.shape()[1];
  require(columns == model->dim(), "--data", [&] {
    return options.data + " has rows of " + count_text(columns) + ", and the model needs rows of " +
           count_text(model->dim()) + "; keep the columns that it was trained on";
  });
  const Tensor<T> points = values_as<T>(data.values, data.names, FileCheck("--data", options.data));
  check_table_writable(options.out);
  Workers workers(thread_count(options.threads));
  flows::ShardedModel<T> sharded(*model, workers);
  const flows::RowResults<T> result = sharded.log_prob(points, RandomKey(options.seed));
  check_finite(result.values);
  save_table(options.out, result.values.template as<double>());
  const Statistics nll = negated_statistics(result.values);
  // The largest number has 309 digits before the point.
  std::array<char, 320> error{"null"};
  if (nll.standard_error) std::snprintf(error.data(), error.size(), "%.4f", *nll.standard_error);
  // Not among the scores.
  std::FILE* stream = is_table_on_standard_output(options.out) ? stderr : stdout;
  std::fprintf(stream, "NLL %.4f +- %s nats over %lld rows, %.0f field evaluations a row\n",
               nll.mean, error.data(), static_cast<long long>(rows), result.evaluations);
}

template <class T>
void sample_as(const nn::State& state, const SampleOptions& options) {
  const std::string precision = std::is_same_v<T, float> ? "float" : "double";
  const auto model = model_in<T>(options.model, state,
                                 solver_settings(options.rtol, options.atol, "exact", precision));
  // Points of the base, samples, and the bytes of the file.
  check_memory("count", 3.0 * sizeof(T) * static_cast<double>(options.count) *
                            static_cast<double>(model->dim()));
  check_table_writable(options.out);
  Workers workers(thread_count(options.threads));
  flows::ShardedModel<T> sharded(*model, workers);
  save_table(options.out, sharded.sample(options.count, RandomKey(options.seed)).values,
             model_columns(options.model, state).columns);
}

}  // namespace

void score(const ScoreOptions& options) {
  check_is_not_input(options.out, {{"--model", options.model}, {"--data", options.data}});
  const nn::State state = load_model_state(options.model);
  const Table data = load_rows(state, options);
  if (options.precision == "double") {
    score_as<double>(state, data, options);
  } else {
    score_as<float>(state, data, options);
  }
}

void sample(const SampleOptions& options) {
  check_is_not_input(options.out, {{"--model", options.model}});
  const nn::State state = load_model_state(options.model);
  const bool is_double = !state.tensors.empty() &&
                         std::holds_alternative<Tensor<double>>(state.tensors.begin()->second);
  if (is_double) {
    sample_as<double>(state, options);
  } else {
    sample_as<float>(state, options);
  }
}

}  // namespace fjord::apps
