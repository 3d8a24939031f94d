#include "fjord/apps/density/look.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "fjord/apps/common/model_rows.hpp"
#include "fjord/apps/common/random_use.hpp"
#include "fjord/apps/common/solver_settings.hpp"
#include "fjord/apps/common/table.hpp"
#include "fjord/apps/density/rounding.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/flows/sharded.hpp"

namespace fjord::apps::density {
namespace {

// One less than numbers of which every nominal coverage takes a whole part.
constexpr Index shared_samples = 9'999;
constexpr Index own_samples = 99;
constexpr Index most_conditions = 1'000;
// The test of two samples keeps the square of twice as many numbers.
constexpr Index most_compared = 1'000;

// What random numbers are for; see look_key().
enum class LookUse : std::uint64_t {
  samples,
  conditions,
  rows,
  other_rows,
  permutations,
  smoothing
};

RandomKey key_of(const RandomKey& random, LookUse use) {
  return random.fold(static_cast<std::uint64_t>(use));
}

template <class T>
TensorView<T> view_of(const Tensor<T>& given) {
  return given.size() == 0 ? TensorView<T>() : TensorView<T>(given);
}

template <class T>
class LookedAtIn final : public LookedAt {
 public:
  LookedAtIn(std::unique_ptr<flows::Distribution<T>> model, Workers& workers)
      : model_(std::move(model)), sharded_(*model_, workers) {
    const nn::Description<T> description = model_->describe();
    given_width_ = flows::given_width(description.config());
  }

  std::vector<double> log_prob(const Tensor<double>& values, const Tensor<double>& given) override {
    const Tensor<T> numbers = values.as<T>();
    const Tensor<T> context = given.as<T>();
    const flows::TableRows<T> rows(numbers, view_of(context));
    return sharded_.log_prob(rows, RandomKey(0)).values.template as<double>().to_vector();
  }

  Tensor<double> sample(Index count, const RandomKey& random,
                        const Tensor<double>& given) override {
    const Tensor<T> context = given.as<T>();
    return sharded_.sample(count, random, view_of(context)).values.template as<double>();
  }

  Index dim() const override { return model_->dim(); }

  Index given_width() const override { return given_width_; }

 private:
  std::unique_ptr<flows::Distribution<T>> model_;
  flows::ShardedModel<T> sharded_;
  Index given_width_ = 0;
};

template <class T>
std::unique_ptr<LookedAt> looked_at_in(const nn::State& state, const ApplyOptions& options,
                                       Workers& workers) {
  const flows::SolverSettings solver =
      solver_settings(options.rtol, options.atol, "exact", options.precision);
  return std::make_unique<LookedAtIn<T>>(model_in<T>(options.model, state, solver), workers);
}

Tensor<double> no_numbers() {
  return Tensor<double>::zeros({0});
}

// The columns of both, side by side.
Tensor<double> joined(const Tensor<double>& values, const Tensor<double>& given) {
  if (given.shape().rank() != 2) return values;
  std::vector<double> numbers(values.storage().begin(), values.storage().end());
  numbers.insert(numbers.end(), given.storage().begin(), given.storage().end());
  const Index columns = values.shape()[1] + given.shape()[1];
  return Tensor<double>::from({values.shape()[0], columns}, numbers, Order::column_major);
}

// Some of the numbers below `count`, in ascending order.
std::vector<std::uint32_t> chosen_numbers(Index count, Index most, const RandomKey& random) {
  std::vector<std::uint32_t> chosen = random.permutation(static_cast<std::uint32_t>(count));
  chosen.resize(static_cast<std::size_t>(std::min(count, most)));
  std::ranges::sort(chosen);
  return chosen;
}

std::vector<std::string> shown_names(const std::vector<std::string>& names, Index columns) {
  std::vector<std::string> result = names;
  for (auto k = static_cast<Index>(names.size()); k < columns; ++k)
    result.push_back("column " + std::to_string(k + 1));
  return result;
}

void check_numbers(const Look& look) {
  for (std::size_t i = 0; i < look.log_densities.size(); ++i) {
    const double value = look.log_densities[i];
    if (value < std::numeric_limits<double>::infinity()) continue;
    throw std::range_error("row " + std::to_string(look.numbers[i]) +
                           " has no finite log-density; leave it out");
  }
  if (!std::ranges::all_of(look.samples.storage(), [](double x) { return std::isfinite(x); }))
    throw std::range_error("a sample of the model is not finite; fit it again, or tighten --rtol");
}

// Of all rows the same samples.
void look_with_shared_samples(Look& look, LookedAt& model, const RandomKey& random) {
  look.samples = model.sample(shared_samples, random, no_numbers());
  check_numbers(look);
  if (look.numbers.empty()) return;
  look.levels = levels_among(look.log_densities, model.log_prob(look.samples, no_numbers()));
}

void look_with_own_samples(Look& look, LookedAt& model, const Tensor<double>& given,
                           const RandomKey& random) {
  std::vector<std::uint32_t> repeated;
  for (std::size_t i = 0; i < look.numbers.size(); ++i)
    repeated.insert(repeated.end(), own_samples, static_cast<std::uint32_t>(i));
  const Tensor<double> context = chosen_rows(given, repeated);
  const Tensor<double> samples = model.sample(static_cast<Index>(repeated.size()), random, context);
  look.samples = joined(samples, context);
  look.samples_a_row = own_samples;
  check_numbers(look);
  look.levels = levels_among_own(look.log_densities, model.log_prob(samples, context), own_samples);
}

std::span<const double> column_of(const Tensor<double>& rows, Index k) {
  const auto count = static_cast<std::size_t>(rows.shape()[0]);
  return rows.storage().subspan(static_cast<std::size_t>(k) * count, count);
}

// For each row the share of samples with a value above its own moved by so much, as levels are the
// shares with a larger density.
std::vector<double> shares_above(const Look& look, Index column, double moved) {
  const std::span<const double> rows = column_of(look.rows, column);
  std::vector<double> values(rows.begin(), rows.end());
  for (double& value : values) value += moved;
  const std::span<const double> samples = column_of(look.samples, column);
  return look.samples_a_row > 0 ? levels_among_own(values, samples, look.samples_a_row)
                                : levels_among(values, samples);
}

std::vector<ColumnCalibration> column_calibrations(const Look& look, const LevelCounts& counts,
                                                   const RandomKey& random) {
  const Index samples = look.samples_a_row > 0 ? look.samples_a_row : look.samples.shape()[0];
  std::vector<ColumnCalibration> result;
  for (Index k = 0; k < look.dim; ++k) {
    const double step = step_of(column_of(look.rows, k));
    std::vector<double> shares = shares_above(look, k, step / 2);
    const std::vector<double> with_cell = shares_above(look, k, -step / 2);
    std::vector<double> draws(shares.size());
    random.fold(static_cast<std::uint64_t>(k)).uniform(std::span<double>(draws));
    for (std::size_t i = 0; i < shares.size(); ++i)
      shares[i] += draws[i] * (with_cell[i] - shares[i]);
    result.push_back(
        {look.names[static_cast<std::size_t>(k)], uniformity(shares, samples, counts)});
  }
  return result;
}

}  // namespace

std::unique_ptr<LookedAt> looked_at(const nn::State& state, const ApplyOptions& options,
                                    Workers& workers) {
  if (options.precision == "float") return looked_at_in<float>(state, options, workers);
  return looked_at_in<double>(state, options, workers);
}

LookRows load_look_rows(const ApplyOptions& options, const nn::State& state,
                        const LookedAt& model) {
  const ModelRows rows = load_model_rows({options.model, options.data, "", options.header}, state,
                                         {model.dim(), model.given_width()});
  return {rows.names, rows.values, rows.given, {}};
}

Look look_at(LookedAt& model, const LookRows& rows, const RandomKey& random) {
  Look look;
  look.dim = model.dim();
  look.names = shown_names(rows.names, model.dim() + model.given_width());
  const RandomKey sampling = key_of(random, LookUse::samples);
  look.rows = Tensor<double>::zeros({0, model.dim() + model.given_width()});
  const Index count = rows.values.shape().rank() == 2 ? rows.values.shape()[0] : 0;
  if (count == 0) {
    require(model.given_width() == 0, "--data",
            "the model is conditional, so that a table with the columns that are given is needed");
    look_with_shared_samples(look, model, sampling);
    return look;
  }
  const bool is_conditional = model.given_width() > 0;
  const std::vector<std::uint32_t> chosen = chosen_numbers(
      count, is_conditional ? most_conditions : count, key_of(random, LookUse::conditions));
  for (const std::uint32_t i : chosen)
    look.numbers.push_back(rows.numbers.empty() ? static_cast<Index>(i) + 1 : rows.numbers[i]);
  const Tensor<double> values = chosen_rows(rows.values, chosen);
  const Tensor<double> given = chosen_rows(rows.given, chosen);
  look.rows = joined(values, given);
  look.log_densities = model.log_prob(values, given);
  if (is_conditional) {
    look_with_own_samples(look, model, given, sampling);
  } else {
    look_with_shared_samples(look, model, sampling);
  }
  return look;
}

Judgement judge(const Look& look, const RandomKey& random, Workers& workers) {
  const Index samples = look.samples.shape()[0];
  const bool is_conditional = look.samples_a_row > 0;
  const auto count = static_cast<Index>(look.levels.size());
  const LevelCounts counts{count, is_conditional ? 0 : samples};
  Judgement judgement;
  judgement.coverages = coverages(look.levels, counts);
  judgement.uniformity =
      uniformity(look.levels, is_conditional ? look.samples_a_row : samples, counts);
  judgement.columns = column_calibrations(look, counts, key_of(random, LookUse::smoothing));
  const std::vector<std::uint32_t> rows =
      chosen_numbers(count, most_compared, key_of(random, LookUse::rows));
  judgement.compared = static_cast<Index>(rows.size());
  std::vector<std::uint32_t> others =
      chosen_numbers(samples, judgement.compared, key_of(random, LookUse::other_rows));
  // The first sample of each row.
  for (std::size_t i = 0; is_conditional && i < rows.size(); ++i)
    others[i] = rows[i] * static_cast<std::uint32_t>(look.samples_a_row);
  judgement.two_sample =
      energy_test(chosen_rows(look.rows, rows), chosen_rows(look.samples, others),
                  {.is_paired = is_conditional}, key_of(random, LookUse::permutations), workers);
  return judgement;
}

RandomKey look_key(std::uint64_t seed) {
  return key_for(RandomKey(seed), RandomUse::samples);
}

}  // namespace fjord::apps::density
