#include "fjord/apps/common/evaluate.hpp"

#include <algorithm>
#include <array>

#include "fjord/apps/common/cores.hpp"
#include "fjord/apps/common/memory.hpp"
#include "fjord/apps/common/model_rows.hpp"
#include "fjord/apps/common/ranks.hpp"
#include "fjord/apps/common/row_blocks.hpp"
#include "fjord/apps/common/scoring.hpp"
#include "fjord/apps/common/solver_settings.hpp"
#include "fjord/apps/common/stop_signal.hpp"
#include "fjord/apps/common/table_output.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/flows/sharded.hpp"

namespace fjord::apps {
namespace {

// Some rows of what is given, if anything is.
template <class T>
TensorView<T> rows_view(const Tensor<T>& given, Index first, Index rows) {
  if (given.size() == 0) return {};
  const std::array<Index, 2> strides{1, given.shape()[0]};
  return TensorView<T>(given.data() + first, {rows, given.shape()[1]}, strides);
}

template <class T>
int sample_as(const nn::State& state, const SampleOptions& options, const Communicator& ranks) {
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
  catch_stop_signals();
  TableWriter<T> table(options.out, widths.dim, model_columns(options.model, state).columns, ranks);
  if (table.keeps_rows())
    check_memory("count", sizeof(T) * static_cast<double>(count) * static_cast<double>(widths.dim));
  Workers workers(thread_count(options.threads), ranks);
  flows::ShardedModel<T> sharded(*model, workers);
  const Index at_once = block_rows(widths);
  int word = 0;
  for (Index first = 0; word == 0 && first < count; first += at_once) {
    const Index size = std::min(at_once, count - first);
    const TensorView<T> conditions = rows_view(given, first, size);
    const RandomKey random(options.seed);
    table.append(
        sharded.sample(size, random, conditions, static_cast<std::uint64_t>(first)).values);
    word = lead(ranks, stop_signal);
  }
  if (word != 0) return 128 + word;
  table.close();
  return 0;
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

int sample(const SampleOptions& options, const Communicator& ranks) {
  const nn::State state = state_of_first_rank(ranks, [&] {
    check_is_not_input(options.out,
                       {{"--model", options.model}, {"--conditions", options.conditions}});
    return load_model_state(options.model);
  });
  const bool is_double = !state.tensors.empty() &&
                         std::holds_alternative<Tensor<double>>(state.tensors.begin()->second);
  if (is_double) return sample_as<double>(state, options, ranks);
  return sample_as<float>(state, options, ranks);
}

}  // namespace fjord::apps
