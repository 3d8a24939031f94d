#include "fjord/apps/common/evaluate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <stdexcept>
#include <utility>

#include <nlohmann/json.hpp>

#include "fjord/apps/common/cores.hpp"
#include "fjord/apps/common/levels.hpp"
#include "fjord/apps/common/memory.hpp"
#include "fjord/apps/common/model_rows.hpp"
#include "fjord/apps/common/program.hpp"
#include "fjord/apps/common/random_use.hpp"
#include "fjord/apps/common/ranks.hpp"
#include "fjord/apps/common/solver_settings.hpp"
#include "fjord/apps/common/statistics.hpp"
#include "fjord/apps/common/table.hpp"
#include "fjord/apps/common/table_output.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/flows/sharded.hpp"

namespace fjord::apps {
namespace {

// Minus infinity is the log-density of a row outside of the model's support.
template <class T>
void check_log_densities(const Tensor<T>& log_probs) {
  for (Index i = 0; i < log_probs.size(); ++i) {
    if (log_probs(i) < std::numeric_limits<T>::infinity()) continue;
    throw std::range_error("row " + std::to_string(i + 1) +
                           " has a log-density beyond the range of numbers; leave it out");
  }
}

// Parts of rows on their way to other ranks.
constexpr const char* names_key = "names";
constexpr const char* values_key = "values";
constexpr const char* given_key = "given";

ModelRows rows_of_first_rank(const Communicator& ranks, const std::function<ModelRows()>& read) {
  if (ranks.size() == 1) return read();
  const nn::State state = state_of_first_rank(ranks, [&] {
    ModelRows rows = read();
    nn::State sent;
    sent.metadata[names_key] = nlohmann::json(rows.names).dump();
    sent.tensors[values_key] = std::move(rows.values);
    sent.tensors[given_key] = std::move(rows.given);
    return sent;
  });
  return {nlohmann::json::parse(state.metadata.at(names_key)),
          std::get<Tensor<double>>(state.tensors.at(values_key)),
          std::get<Tensor<double>>(state.tensors.at(given_key))};
}

template <class T>
RowWidths widths_of(flows::Distribution<T>& model) {
  const nn::Description<T> description = model.describe();
  return {model.dim(), flows::given_width(description.config())};
}

template <class T>
TensorView<T> view_of(const Tensor<T>& given) {
  return given.size() == 0 ? TensorView<T>() : TensorView<T>(given);
}

// Of rows that what is given repeats so many times.
template <class T>
Tensor<T> repeated(const Tensor<T>& given, Index first, Index end, Index times) {
  Tensor<T> result = Tensor<T>::zeros({(end - first) * times, given.shape()[1]});
  for (Index k = 0; k < given.shape()[1]; ++k)
    for (Index i = 0; i < result.shape()[0]; ++i) result(i, k) = given(first + i / times, k);
  return result;
}

// The levels of rows with these log-densities.
template <class T>
class Levels final {
 public:
  Levels(flows::ShardedModel<T>& model, const RandomKey& random) : model_(model), random_(random) {}

  std::vector<double> shared(const std::vector<double>& log_densities) {
    constexpr Index samples = 9'999;
    return levels_among(log_densities, sampled(samples, Tensor<T>::zeros({0}), 0));
  }

  // Of a conditional model: among samples for each row.
  std::vector<double> own(const std::vector<double>& log_densities, const Tensor<T>& given) {
    constexpr Index samples = 999;
    constexpr Index rows_at_once = 64;
    const Index count = given.shape()[0];
    std::vector<double> levels;
    for (Index first = 0; first < count; first += rows_at_once) {
      const Index end = std::min(count, first + rows_at_once);
      const std::vector<double> some(log_densities.begin() + first, log_densities.begin() + end);
      const std::vector<double> drawn =
          sampled((end - first) * samples, repeated(given, first, end, samples), first);
      for (const double level : levels_among_own(some, drawn, samples)) levels.push_back(level);
    }
    return levels;
  }

 private:
  // The log-densities of samples.
  std::vector<double> sampled(Index count, const Tensor<T>& given, Index use) {
    const RandomKey key = random_.fold(static_cast<std::uint64_t>(use));
    const Tensor<T> samples = model_.sample(count, key, view_of(given)).values;
    const flows::TableRows<T> rows(samples, view_of(given));
    return model_.log_prob(rows, key).values.template as<double>().to_vector();
  }

  flows::ShardedModel<T>& model_;
  RandomKey random_;
};

void save_scores(const ScoreOptions& options, const Tensor<double>& scores,
                 const std::vector<double>& levels) {
  if (!options.levels) return save_table(options.out, scores);
  std::vector<double> numbers = scores.to_vector();
  numbers.insert(numbers.end(), levels.begin(), levels.end());
  const std::vector<std::string> names{"log_density", "level"};
  save_table(options.out,
             Tensor<double>::from({scores.shape()[0], 2}, numbers, Order::column_major), names);
}

std::string nll_text(const Statistics& nll) {
  // The largest number has 309 digits before the point.
  std::array<char, 700> text{};
  std::array<char, 320> error{"null"};
  if (nll.standard_error) std::snprintf(error.data(), error.size(), "%.4f", *nll.standard_error);
  std::snprintf(text.data(), text.size(), "NLL %.4f +- %s nats", nll.mean, error.data());
  return text.data();
}

template <class T>
void print_score(const flows::RowResults<T>& result, const ScoreOptions& options) {
  const Statistics nll = negated_statistics(result.values);
  const auto rows = static_cast<long long>(result.values.size());
  // Not among the scores.
  std::FILE* stream = is_table_on_standard_output(options.out) ? stderr : stdout;
  const std::string text = nll_text(nll.outside == 0 ? nll : Statistics{HUGE_VAL, {}, 0});
  std::fprintf(stream, "%s over %lld rows, %.0f field evaluations a row\n", text.c_str(), rows,
               result.evaluations);
  if (nll.outside == 0) return;
  std::string note = std::to_string(nll.outside) + " of " + std::to_string(rows) +
                     " rows are outside of the model's support, where its density is 0";
  if (nll.outside < rows) note += "; " + nll_text(nll) + " over the others";
  print_note("score", note);
}

template <class T>
void score_as(const nn::State& state, const ScoreOptions& options, const Communicator& ranks) {
  const auto model =
      model_in<T>(options.model, state,
                  solver_settings(options.rtol, options.atol, options.trace, options.precision));
  const ModelRows data = rows_of_first_rank(ranks, [&] {
    ModelRows rows =
        load_model_rows({options.model, options.data, options.conditions, options.header}, state,
                        widths_of<T>(*model));
    check_table_writable(options.out);
    return rows;
  });
  const Tensor<T> points = values_as<T>(data.values, data.names, FileCheck("--data", options.data));
  const Tensor<T> given = data.given.as<T>();
  Workers workers(thread_count(options.threads), ranks);
  flows::ShardedModel<T> sharded(*model, workers);
  const RandomKey random(options.seed);
  const flows::RowResults<T> result =
      sharded.log_prob(flows::TableRows<T>(points, view_of(given)), random);
  check_log_densities(result.values);
  const Tensor<double> scores = result.values.template as<double>();
  std::vector<double> levels;
  if (options.levels) {
    Levels<T> of_rows(sharded, key_for(random, RandomUse::samples));
    levels = given.size() == 0 ? of_rows.shared(scores.to_vector())
                               : of_rows.own(scores.to_vector(), given);
  }
  lead(ranks, [&] {
    save_scores(options, scores, levels);
    print_score(result, options);
    return 0;
  });
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

void score(const ScoreOptions& options, const Communicator& ranks) {
  const nn::State state = state_of_first_rank(ranks, [&] {
    check_is_not_input(options.out, {{"--model", options.model},
                                     {"--data", options.data},
                                     {"--conditions", options.conditions}});
    return load_model_state(options.model);
  });
  if (options.precision == "double") {
    score_as<double>(state, options, ranks);
  } else {
    score_as<float>(state, options, ranks);
  }
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
