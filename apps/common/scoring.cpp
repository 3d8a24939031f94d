#include "fjord/apps/common/scoring.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>

#include "fjord/apps/common/cores.hpp"
#include "fjord/apps/common/program.hpp"
#include "fjord/apps/common/random_use.hpp"
#include "fjord/apps/common/ranks.hpp"
#include "fjord/apps/common/row_blocks.hpp"
#include "fjord/apps/common/row_levels.hpp"
#include "fjord/apps/common/solver_settings.hpp"
#include "fjord/apps/common/statistics.hpp"
#include "fjord/apps/common/stop_signal.hpp"
#include "fjord/apps/common/table_output.hpp"
#include "fjord/autodiff/workers.hpp"
#include "fjord/flows/sharded.hpp"

namespace fjord::apps {
namespace {

// Minus infinity is the log-density of a row outside of the model's support.
void check_log_densities(const Tensor<double>& log_probs, Index first_row) {
  for (Index i = 0; i < log_probs.size(); ++i) {
    if (log_probs(i) < std::numeric_limits<double>::infinity()) continue;
    throw std::range_error("row " + std::to_string(first_row + i + 1) +
                           " has a log-density beyond the range of numbers; leave it out");
  }
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
class Scoring final {
 public:
  Scoring(const char* program, const nn::State& state, const ScoreOptions& options,
          const Communicator& ranks)
      : program_(program),
        options_(options),
        ranks_(ranks),
        model_(model_in<T>(
            options.model, state,
            solver_settings(options.rtol, options.atol, options.trace, options.precision))),
        blocks_(
            open_row_blocks<T>({options.model, options.data, options.conditions, options.header},
                               state, widths_of<T>(*model_), ranks)),
        workers_(thread_count(options.threads), ranks),
        sharded_(*model_, workers_),
        levels_(sharded_, key_for(random_, RandomUse::samples)) {}

  int run() {
    catch_stop_signals();
    lead(ranks_, [this] {
      check_table_writable(options_.out);
      return 0;
    });
    blocks_->check();
    open();
    int word = lead(ranks_, stop_signal);
    while (const flows::RowSource<T>* block = word == 0 ? blocks_->next() : nullptr)
      word = score(*block);
    if (word != 0) return 128 + word;
    writer_->close();
    lead(ranks_, [this] {
      print();
      return 0;
    });
    return 0;
  }

 private:
  void open() {
    const std::array<std::string, 2> names{"log_density", "level"};
    const std::span<const std::string> none;
    writer_.emplace(options_.out, options_.levels ? 2 : 0, options_.levels ? names : none, ranks_);
  }

  // Returns what rank 0 says: a signal that ends the run, or 0.
  int score(const flows::RowSource<T>& block) {
    const auto first = static_cast<std::uint64_t>(statistics_.count());
    const flows::RowResults<T> result = sharded_.log_prob(block, random_, first);
    const Tensor<double> scores = result.values.template as<double>();
    check_log_densities(scores, statistics_.count());
    std::vector<double> levels;
    if (options_.levels) levels = levels_.of(scores.to_vector(), block, statistics_.count());
    statistics_.add_negated(scores);
    evaluations_ += result.evaluations * static_cast<double>(scores.size());
    write(scores, levels);
    return lead(ranks_, stop_signal);
  }

  void write(const Tensor<double>& scores, const std::vector<double>& levels) {
    if (!options_.levels) return writer_->append(scores);
    std::vector<double> numbers = scores.to_vector();
    numbers.insert(numbers.end(), levels.begin(), levels.end());
    writer_->append(Tensor<double>::from({scores.size(), 2}, numbers, Order::column_major));
  }

  void print() const {
    const Statistics nll = statistics_.result();
    const auto rows = static_cast<long long>(statistics_.count());
    // Not among the scores.
    std::FILE* stream = is_table_on_standard_output(options_.out) ? stderr : stdout;
    const std::string text = nll_text(nll.outside == 0 ? nll : Statistics{HUGE_VAL, {}, 0});
    std::fprintf(stream, "%s over %lld rows, %.0f field evaluations a row\n", text.c_str(), rows,
                 evaluations_ / static_cast<double>(rows));
    if (nll.outside == 0) return;
    std::string note = "the density of " + std::to_string(nll.outside) + " of " +
                       std::to_string(rows) +
                       " rows is 0: they are outside of the model's support, or too far from it";
    if (nll.outside < rows) note += "; " + nll_text(nll) + " over the others";
    print_note(program_, note);
  }

  const char* program_;
  const ScoreOptions& options_;
  const Communicator& ranks_;
  std::unique_ptr<flows::Distribution<T>> model_;
  std::unique_ptr<RowBlocks<T>> blocks_;
  Workers workers_;
  flows::ShardedModel<T> sharded_;
  RandomKey random_{options_.seed};
  RowLevels<T> levels_;
  std::optional<TableWriter<double>> writer_;  // once the rows have been checked
  RunningStatistics statistics_;
  double evaluations_ = 0;  // sum over the rows
};

}  // namespace

template <class T>
int score_as(const char* program, const nn::State& state, const ScoreOptions& options,
             const Communicator& ranks) {
  return Scoring<T>(program, state, options, ranks).run();
}

template int score_as<float>(const char*, const nn::State&, const ScoreOptions&,
                             const Communicator&);
template int score_as<double>(const char*, const nn::State&, const ScoreOptions&,
                              const Communicator&);

}  // namespace fjord::apps
