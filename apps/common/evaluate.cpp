#include "fjord/apps/common/evaluate.hpp"

#include "fjord/apps/common/cores.hpp"
#include "fjord/apps/common/memory.hpp"
#include "fjord/apps/common/model_rows.hpp"
#include "fjord/apps/common/ranks.hpp"
#include "fjord/apps/common/scoring.hpp"
#include "fjord/apps/common/solver_settings.hpp"
#include "fjord/apps/common/table_output.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/flows/sharded.hpp"

namespace fjord::apps {
namespace {

template <class T>
TensorView<T> view_of(const Tensor<T>& given) {
  return given.size() == 0 ? TensorView<T>() : TensorView<T>(given);
}

template <class T>
void sample_as(const nn::State& state, const SampleOptions& options, const Communicator& ranks) {
  const std::string precision = std::is_same_v<T, float> ? "float" : "double";
  const auto model = model_in<T>(options.model, state,
                                 solver_settings(options.rtol, options.atol, "exact", precision));
  const RowWidths widths = widths_of<T>(*model);
  require(widths.given == 0 || !options.conditions.empty(), "--conditions",
          "the model needs columns that are given; name a table of them");
  const ModelRows rows = rows_of_first_rank(ranks, [&] {
    return load_model_rows({options.model, "", options.conditions, options.header}, state, widths);
  });
  const Tensor<T> given = rows.given.as<T>();
  const Index count = widths.given == 0 ? options.count : given.shape()[0];
  require(count > 0, "--count", "the number of samples is needed");
  require(options.count == 0 || options.count == count, "--count", [&] {
    return "one row is drawn for each of the " + std::to_string(count) + " of " +
           options.conditions + "; leave out the option";
  });
  // Points of the base, samples, and the bytes of the file.
  check_memory("count",
               3.0 * sizeof(T) * static_cast<double>(count) * static_cast<double>(model->dim()));
  lead(ranks, [&] {
    check_table_writable(options.out);
    return 0;
  });
  Workers workers(thread_count(options.threads), ranks);
  flows::ShardedModel<T> sharded(*model, workers);
  const Tensor<T> samples = sharded.sample(count, RandomKey(options.seed), view_of(given)).values;
  lead(ranks, [&] {
    save_table(options.out, samples, model_columns(options.model, state).columns);
    return 0;
  });
}

}  // namespace

int score(const char* program, const ScoreOptions& options, const Communicator& ranks) {
  const nn::State state = state_of_first_rank(ranks, [&] {
    check_is_not_input(options.out, {{"--model", options.model},
                                     {"--data", options.data},
                                     {"--conditions", options.conditions}});
    return load_model_state(options.model);
  });
  if (options.precision == "double") return score_as<double>(program, state, options, ranks);
  return score_as<float>(program, state, options, ranks);
}

void sample(const SampleOptions& options, const Communicator& ranks) {
  const nn::State state = state_of_first_rank(ranks, [&] {
    check_is_not_input(options.out,
                       {{"--model", options.model}, {"--conditions", options.conditions}});
    return load_model_state(options.model);
  });
  const bool is_double = !state.tensors.empty() &&
                         std::holds_alternative<Tensor<double>>(state.tensors.begin()->second);
  if (is_double) {
    sample_as<double>(state, options, ranks);
  } else {
    sample_as<float>(state, options, ranks);
  }
}

}  // namespace fjord::apps
