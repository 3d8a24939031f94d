#include "fjord/apps/density/data.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fjord/apps/common/message.hpp"
#include "fjord/apps/common/random_use.hpp"
#include "fjord/apps/common/table.hpp"
#include "fjord/apps/density/columns.hpp"
#include "fjord/apps/density/rounding.hpp"
#include "fjord/autodiff/errors.hpp"

namespace fjord::apps::density {
namespace {

struct Choice {
  std::vector<Index> columns;  // with those that are given in front
  Index given = 0;
  std::vector<Index> weights;  // one column or none
};

Choice choose(const std::vector<std::string>& names, Index count, const FitOptions& options) {
  Choice choice;
  if (!options.weights.empty()) {
    choice.weights = chosen_columns("weights", options.weights, names, count);
    require(choice.weights.size() == 1, "--weights", "one column is needed, got several");
  }
  std::vector<Index> given;
  if (!options.given.empty()) given = chosen_columns("given", options.given, names, count);
  choice.given = static_cast<Index>(given.size());
  choice.columns = given;
  const auto is_taken = [&](const std::vector<Index>& columns, Index k) {
    return std::ranges::find(columns, k) != columns.end();
  };
  if (options.columns.empty()) {
    for (Index k = 0; k < count; ++k)
      if (!is_taken(choice.weights, k) && !is_taken(given, k)) choice.columns.push_back(k);
  } else {
    for (const Index k : chosen_columns("columns", options.columns, names, count)) {
      require(!is_taken(given, k), "--given",
              "a column of --columns is given, too; leave it out there");
      choice.columns.push_back(k);
    }
  }
  require(static_cast<Index>(choice.columns.size()) > choice.given,
          options.given.empty() ? "--weights" : "--given", "no other column is left in the table");
  return choice;
}

// The rows without missing values in these columns, which the faults forget.
std::vector<std::uint32_t> complete_rows(LooseTable& loose, const std::vector<Index>& columns) {
  const Tensor<double>& values = loose.table.values;
  std::vector<std::uint32_t> rows;
  for (Index i = 0; i < values.shape()[0]; ++i) {
    if (std::ranges::none_of(columns, [&](Index k) { return std::isnan(values(i, k)); }))
      rows.push_back(static_cast<std::uint32_t>(i));
  }
  for (const Index k : columns) loose.faults[static_cast<std::size_t>(k)].missing.clear();
  return rows;
}

void advise(LooseTable& loose) {
  for (ColumnFaults& faults : loose.faults) {
    if (!faults.missing.empty()) faults.missing += "; --drop-missing leaves out such rows";
    if (!faults.other.empty()) faults.other += "; --columns can leave out the column";
  }
}

void read_weights(Data& data, const Tensor<double>& weights,
                  const std::vector<std::uint32_t>& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double weight = weights(static_cast<Index>(i), 0);
    require(weight > 0, "--weights", [&] {
      return "row " + std::to_string(rows[i] + 1) + " has the weight " + number_text(weight) +
             "; weights must be positive";
    });
    data.rows.weights.push_back(weight);
  }
  // Only their ratios count. In this unit, a power of two, no sum of their squares overflows.
  const int exponent = rows.empty() ? 0 : std::ilogb(std::ranges::max(data.rows.weights));
  for (double& weight : data.rows.weights) weight = std::scalbn(weight, -exponent);
}

std::vector<std::string> chosen_names(const std::vector<std::string>& names, const Choice& choice,
                                      const FileCheck& check) {
  std::vector<std::string> chosen;
  for (const Index k : choice.columns) {
    if (names.empty()) break;
    const std::string& column = names[static_cast<std::size_t>(k)];
    check(std::ranges::find(chosen, column) == chosen.end(), [&] {
      return "two columns have the name \"" + shown(column) + "\"; rename one, or leave it out";
    });
    chosen.push_back(column);
  }
  return chosen;
}

void read_rows(Data& data, const FitOptions& options) {
  const std::string name = options.table == "-" ? "standard input" : options.table;
  LooseTable loose = load_loose_table(options.table, header_of(options.header), "table");
  const Choice choice = choose(loose.table.names, loose.table.values.shape()[1], options);
  std::vector<Index> used = choice.columns;
  used.insert(used.end(), choice.weights.begin(), choice.weights.end());
  const Index all = loose.table.values.shape()[0];
  std::vector<std::uint32_t> kept(static_cast<std::size_t>(all));
  std::iota(kept.begin(), kept.end(), 0U);
  advise(loose);
  if (options.drop_missing) kept = complete_rows(loose, used);
  data.dropped = all - static_cast<Index>(kept.size());
  for (const std::uint32_t i : kept) data.numbers.push_back(static_cast<Index>(i) + 1);
  const FileCheck check("table", name);
  data.rows.given = choice.given;
  data.rows.values = chosen_rows(columns_of(loose, choice.columns, check), kept);
  if (choice.weights.empty()) {
    data.rows.weights.assign(kept.size(), 1.0);
  } else {
    read_weights(data, chosen_rows(columns_of(loose, choice.weights, check), kept), kept);
  }
  data.names = chosen_names(loose.table.names, choice, check);
}

void find_units(Data& data) {
  const std::vector<std::uint32_t>& rows = data.split.training;
  const auto n = static_cast<double>(rows.size());
  for (Index k = 0; k < data.rows.values.shape()[1]; ++k) {
    const auto at = [&](std::uint32_t i) { return data.rows.values(static_cast<Index>(i), k); };
    double mean = 0;
    for (const std::uint32_t i : rows) mean += at(i) / n;
    double variance = 0;
    for (const std::uint32_t i : rows) variance += (at(i) - mean) * (at(i) - mean) / n;
    const bool varies =
        std::ranges::any_of(rows, [&](std::uint32_t i) { return at(i) != at(rows.front()); });
    const char* const option = k < data.rows.given ? "--given" : "--columns";
    require(varies, option, [&] {
      return "the column " + column_text(data, static_cast<std::size_t>(k)) +
             " is constant in the training rows, so that it has no density; leave it out";
    });
    require(variance > 0 && std::isfinite(variance), option, [&] {
      return "the column " + column_text(data, static_cast<std::size_t>(k)) +
             " has numbers too small or too large for a variance; leave it out, or change its unit";
    });
    data.means.push_back(mean);
    data.deviations.push_back(std::sqrt(variance));
  }
}

// The numbers of a column in some rows.
std::vector<double> numbers_of(const Data& data, const std::vector<std::uint32_t>& rows, Index k) {
  std::vector<double> numbers;
  numbers.reserve(rows.size());
  for (const std::uint32_t i : rows) numbers.push_back(data.rows.values(static_cast<Index>(i), k));
  return numbers;
}

// Of a column, with what smoothing may add.
ColumnRange range_of(const Data& data, Index k, double margin) {
  if (data.large != nullptr) {
    const ColumnRange& range = data.large->ranges[static_cast<std::size_t>(k)];
    return {range.low - margin, range.high + margin};
  }
  const Tensor<double>& values = data.rows.values;
  const Index rows = values.shape()[0];
  const auto column =
      values.storage().subspan(static_cast<std::size_t>(k * rows), static_cast<std::size_t>(rows));
  const auto [low, high] = std::ranges::minmax(column);
  return {low - margin, high + margin};
}

// These rows, or as many as show relations between columns, evenly spaced.
std::vector<std::uint32_t> evenly(const std::vector<std::uint32_t>& rows) {
  constexpr std::size_t most = 5'000;
  const std::size_t step = (rows.size() + most - 1) / most;
  std::vector<std::uint32_t> chosen;
  for (std::size_t i = 0; i < rows.size(); i += step) chosen.push_back(rows[i]);
  return chosen;
}

void find_maps(Data& data) {
  // Beside a coarser step, a column has few numbers, and no density that could be smoothed.
  constexpr double most_deviations = 0.1;
  std::vector<ColumnMap> straight;
  for (Index k = 0; k < data.rows.values.shape()[1]; ++k) {
    const auto column = static_cast<std::size_t>(k);
    const double deviation = data.deviations[column];
    straight.push_back({.mean = data.means[column], .deviation = deviation});
    if (k < data.rows.given) {
      data.maps.push_back(straight.back());
      data.roundings.push_back(0);
      continue;
    }
    const std::vector<double> training = numbers_of(data, data.split.training, k);
    const double step = rounding_of(training);
    data.roundings.push_back(step < most_deviations * deviation ? step : 0);
    data.maps.push_back(choose_map(training, numbers_of(data, data.split.validation, k),
                                   range_of(data, k, data.roundings.back() / 2)));
  }
  if (are_straight(data.maps)) return;
  data.maps = keep_relations(data.maps, straight,
                             chosen_rows(data.rows.values, evenly(data.split.training)),
                             chosen_rows(data.rows.values, evenly(data.split.validation)));
}

// In the table's units.
WeightedRows weighted_rows(const Data& data, const std::vector<std::uint32_t>& chosen) {
  WeightedRows result{chosen_rows(data.rows.values, chosen), {}, data.rows.given};
  for (const std::uint32_t i : chosen) result.weights.push_back(data.rows.weights[i]);
  return result;
}

Data load_whole(const FitOptions& options) {
  Data data;
  read_rows(data, options);
  const Index rows = data.rows.values.shape()[0];
  constexpr Index least = 10;
  require(rows >= least, "table", [&] {
    return "at least " + std::to_string(least) + " rows are needed, got " + std::to_string(rows);
  });
  const RandomKey key = key_for(RandomKey(options.seed), RandomUse::split);
  data.split = flows::split_rows(rows, options.validation, options.test, key);
  find_units(data);
  find_maps(data);
  return data;
}

// The table's file, if it is large, and no column says which rows are kept or how much they count:
// that needs all.
std::shared_ptr<const MappedFile> large_file(const FitOptions& options,
                                             const MemoryLimits& limits) {
  if (options.drop_missing || !options.weights.empty()) return nullptr;
  std::shared_ptr<const MappedFile> file =
      open_mapped(options.table, header_of(options.header), "table");
  const bool is_large =
      file != nullptr &&
      static_cast<double>(file->rows()) * static_cast<double>(file->columns()) > limits.whole;
  return is_large ? file : nullptr;
}

// The rows of a large table that are looked at, and their units.
void read_sample(Data& data) {
  const LargeTable& large = *data.large;
  std::vector<std::uint32_t> rows = large.validation;
  const auto first = static_cast<std::uint32_t>(rows.size());
  rows.insert(rows.end(), large.test.begin(), large.test.end());
  const auto second = static_cast<std::uint32_t>(rows.size());
  rows.insert(rows.end(), large.sample.begin(), large.sample.end());
  const auto numbers = [](std::uint32_t begin, std::uint32_t end) {
    std::vector<std::uint32_t> result(end - begin);
    std::iota(result.begin(), result.end(), begin);
    return result;
  };
  data.split = {numbers(second, static_cast<std::uint32_t>(rows.size())), numbers(0, first),
                numbers(first, second)};
  data.rows.values = Tensor<double>::zeros(
      {static_cast<Index>(rows.size()), static_cast<Index>(large.columns.size())});
  large.file->read(rows, large.columns, data.rows.values.data());
  data.rows.weights.assign(rows.size(), 1.0);
  data.rows.given = large.given;
  for (const std::uint32_t i : rows) data.numbers.push_back(static_cast<Index>(i) + 1);
  find_units(data);
  find_maps(data);
}

Data load_large(const FitOptions& options, const std::shared_ptr<const MappedFile>& file,
                const Communicator& ranks, const MemoryLimits& limits) {
  Data data;
  auto large = std::make_shared<LargeTable>();
  agree(ranks, [&] {
    const Choice choice = choose(file->names(), file->columns(), options);
    data.names = chosen_names(file->names(), choice, file->check());
    large->file = file;
    large->columns = choice.columns;
    large->given = choice.given;
    split_large(*large, options.validation, options.test, limits,
                key_for(RandomKey(options.seed), RandomUse::split));
  });
  find_ranges(*large, ranks);
  data.large = large;
  agree(ranks, [&] { read_sample(data); });
  return data;
}

}  // namespace

std::vector<Index> table_numbers(const Data& data, const std::vector<std::uint32_t>& chosen) {
  std::vector<Index> numbers;
  numbers.reserve(chosen.size());
  for (const std::uint32_t i : chosen) numbers.push_back(data.numbers[i]);
  return numbers;
}

std::string column_text(const Data& data, std::size_t column) {
  if (column < data.names.size() && !data.names[column].empty()) return shown(data.names[column]);
  return std::to_string(column + 1);
}

Data load_data(const FitOptions& options, const Communicator& ranks, const MemoryLimits& limits) {
  std::shared_ptr<const MappedFile> file;
  Data data;
  agree(ranks, [&] {
    file = large_file(options, limits);
    if (file == nullptr) data = load_whole(options);
  });
  if (file == nullptr) return data;
  return load_large(options, file, ranks, limits);
}

Index training_rows(const Data& data) {
  return data.large != nullptr ? data.large->training_rows()
                               : static_cast<Index>(data.split.training.size());
}

WeightedRows standard_rows(const Data& data, const std::vector<std::uint32_t>& chosen) {
  WeightedRows result = weighted_rows(data, chosen);
  const Index rows = result.values.shape()[0];
  for (std::size_t k = 0; k < data.means.size(); ++k) {
    for (Index i = 0; i < rows; ++i) {
      double& x = result.values(i, static_cast<Index>(k));
      x = (x - data.means[k]) / data.deviations[k];
    }
  }
  return result;
}

WeightedRows mapped_rows(const Data& data, const std::vector<std::uint32_t>& chosen) {
  WeightedRows result = weighted_rows(data, chosen);
  result.values = standard_numbers(result.values, data.maps);
  return result;
}

Tensor<double> smoothed_rows(const Data& data, const RandomKey& random) {
  Tensor<double> rows = data.rows.values;
  for (std::size_t k = 0; k < data.roundings.size(); ++k) {
    if (data.roundings[k] == 0) continue;
    std::vector<double> draws(static_cast<std::size_t>(rows.shape()[0]));
    random.fold(k).uniform(std::span<double>(draws));
    for (std::size_t i = 0; i < draws.size(); ++i)
      rows(static_cast<Index>(i), static_cast<Index>(k)) += data.roundings[k] * (draws[i] - 0.5);
  }
  return standard_numbers(rows, data.maps);
}

}  // namespace fjord::apps::density
