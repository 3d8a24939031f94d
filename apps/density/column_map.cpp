#include "fjord/apps/density/column_map.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "fjord/apps/density/gaussian.hpp"
#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/tape.hpp"
#include "fjord/flows/elementwise_maps.hpp"
#include "fjord/flows/skew_maps.hpp"
#include "fjord/flows/stack.hpp"
#include "fjord/flows/standardise.hpp"

namespace fjord::apps::density {
namespace {

template <class T>
using BijectorPointer = std::unique_ptr<flows::Bijector<T>>;

template <class T>
BijectorPointer<T> heavy_tails(const ColumnMap& map) {
  auto tails = std::make_unique<flows::SinhArcsinh<T>>(1);
  nn::parameters_of(*tails)[1].parameter->mutable_values()[0] =
      static_cast<T>(std::log(map.tailweight));
  std::vector<BijectorPointer<T>> parts;
  parts.push_back(std::move(tails));
  parts.push_back(std::make_unique<flows::Standardise<T>>(std::vector<double>{map.centre},
                                                          std::vector<double>{map.scale}));
  return std::make_unique<flows::Chain<T>>(std::move(parts));
}

template <class T>
BijectorPointer<T> shape_of(const ColumnMap& map) {
  switch (map.shape) {
    case ColumnMap::Shape::straight: break;
    case ColumnMap::Shape::positive: return std::make_unique<flows::Exp<T>>();
    case ColumnMap::Shape::interval: return std::make_unique<flows::Sigmoid<T>>();
    case ColumnMap::Shape::heavy_tails: return heavy_tails<T>(map);
  }
  return std::make_unique<flows::Identity<T>>();
}

struct Undone {
  std::vector<double> values;
  std::vector<double> log_slopes;  // of the way back
};

Undone undo_shape(const ColumnMap& map, std::span<const double> numbers) {
  Tape<double> tape;
  flows::Context<double> context{.gradient = &ode::values_only};
  const auto count = static_cast<Index>(numbers.size());
  const auto column = tape.input(Tensor<double>::from({count, 1}, numbers));
  const auto shape = shape_of<double>(map);
  const flows::WithLogDet<double> back = shape->inverse_with_log_det(column, context);
  const TensorView<double> values = back.value.value();
  const TensorView<double> slopes = back.log_det.value();
  return {{values.data(), values.data() + numbers.size()},
          {slopes.data(), slopes.data() + numbers.size()}};
}

// Mean and deviation of the training rows, with the shape undone.
void find_units_of(ColumnMap& map, std::span<const double> training) {
  const Undone undone = undo_shape(map, training);
  const auto n = static_cast<double>(training.size());
  map.mean = 0;
  for (const double x : undone.values) map.mean += x / n;
  double variance = 0;
  for (const double x : undone.values) variance += (x - map.mean) * (x - map.mean) / n;
  map.deviation = std::sqrt(variance);
}

std::vector<double> log_densities(const ColumnMap& map, std::span<const double> numbers) {
  const Undone undone = undo_shape(map, numbers);
  std::vector<double> result;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double z = (undone.values[i] - map.mean) / map.deviation;
    const double log_density = undone.log_slopes[i] - z * z / 2 - std::log(map.deviation) -
                               std::log(2 * std::numbers::pi) / 2;
    result.push_back(std::isnan(log_density) ? -std::numeric_limits<double>::infinity()
                                             : log_density);
  }
  return result;
}

double quantile(std::span<const double> sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - std::floor(at)) * (sorted[above] - sorted[below]);
}

std::vector<ColumnMap> candidates(std::span<const double> training, const ColumnRange& range) {
  std::vector<ColumnMap> maps;
  if (range.low > 0) maps.push_back({ColumnMap::Shape::positive});
  if (range.low > 0 && range.high < 1) maps.push_back({ColumnMap::Shape::interval});
  std::vector<double> sorted(training.begin(), training.end());
  std::ranges::sort(sorted);
  // That of a normal distribution is 1.349 deviations.
  const double scale = (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 1.349;
  if (scale > 0) {
    for (const double weight : {1.25, 1.5, 2.0, 3.0})
      maps.push_back({ColumnMap::Shape::heavy_tails, quantile(sorted, 0.5), scale, weight});
  }
  return maps;
}

constexpr double most_nats = 10;

// By how many standard errors of the mean difference a is above b. A row counts for ten nats at
// most: one that b makes all but impossible would otherwise be all of the mean, and of its error.
// One that a makes so counts for `least` at least.
double errors_above(const std::vector<double>& a, const std::vector<double>& b,
                    double least = -std::numeric_limits<double>::infinity()) {
  const auto n = static_cast<double>(a.size());
  const auto difference = [&](std::size_t i) { return std::clamp(a[i] - b[i], least, most_nats); };
  double mean = 0;
  for (std::size_t i = 0; i < a.size(); ++i) mean += difference(i) / n;
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) squares += std::pow(difference(i) - mean, 2);
  return mean / std::sqrt(squares / (n * (n - 1)));
}

std::span<const double> column_of(const Tensor<double>& rows, std::size_t column) {
  const auto count = static_cast<std::size_t>(rows.shape()[0]);
  return rows.storage().subspan(column * count, count);
}

// The normal distribution of the rows, the shapes undone.
Gaussian normal_of(const std::vector<ColumnMap>& maps, const Tensor<double>& rows) {
  constexpr double ridge = 1e-6;
  const std::vector<double> weights(static_cast<std::size_t>(rows.shape()[0]), 1.0);
  return gaussian_of(standard_numbers(rows, maps).to_vector(), rows.shape()[1], weights, ridge);
}

// Of the rows of a table.
std::vector<double> log_densities(const Gaussian& normal, const std::vector<ColumnMap>& maps,
                                  const Tensor<double>& rows) {
  const Tensor<double> standard = standard_numbers(rows, maps);
  const auto count = static_cast<std::size_t>(rows.shape()[0]);
  std::vector<double> result(count);
  normal.log_densities({standard.data(), count, count, maps.size()}, result);
  for (std::size_t k = 0; k < maps.size(); ++k) {
    const std::vector<double> slopes = undo_shape(maps[k], column_of(rows, k)).log_slopes;
    for (std::size_t i = 0; i < count; ++i) result[i] += slopes[i] - std::log(maps[k].deviation);
  }
  return result;
}

// The variance of each column that the best linear function of the others leaves: of the precision
// L^-T L^-1, one over the entries on the diagonal.
std::vector<double> unexplained(const Gaussian& normal) {
  const std::size_t dim = normal.mean().size();
  std::vector<double> result(dim);
  std::vector<double> column(dim);  // of L^-1
  for (std::size_t k = 0; k < dim; ++k) {
    double squares = 0;
    for (std::size_t i = k; i < dim; ++i) {
      double sum = i == k ? 1 : 0;
      for (std::size_t j = k; j < i; ++j) sum -= normal.factor(i, j) * column[j];
      column[i] = sum / normal.factor(i, i);
      squares += column[i] * column[i];
    }
    result[k] = 1 / squares;
  }
  return result;
}

double sum_of(const std::vector<double>& numbers) {
  double sum = 0;
  for (const double x : numbers) sum += x;
  return sum;
}

}  // namespace

ColumnMap choose_map(std::span<const double> training, std::span<const double> validation,
                     const ColumnRange& range) {
  require(std::ranges::any_of(training, [&](double x) { return x != training[0]; }), "column",
          "the training rows are all equal");
  ColumnMap best;
  find_units_of(best, training);
  const std::vector<double> straight = log_densities(best, validation);
  std::vector<double> reached = straight;
  for (ColumnMap map : candidates(training, range)) {
    find_units_of(map, training);
    if (!(map.deviation > 0 && std::isfinite(map.deviation))) continue;
    const std::vector<double> found = log_densities(map, validation);
    if (!(errors_above(found, straight) > 2) || !(sum_of(found) > sum_of(reached))) continue;
    best = map;
    reached = found;
  }
  return best;
}

bool are_straight(const std::vector<ColumnMap>& maps) {
  return std::ranges::all_of(
      maps, [](const ColumnMap& map) { return map.shape == ColumnMap::Shape::straight; });
}

std::vector<ColumnMap> keep_relations(const std::vector<ColumnMap>& maps,
                                      const std::vector<ColumnMap>& straight,
                                      const Tensor<double>& training,
                                      const Tensor<double>& validation) {
  constexpr double destroyed = 0.1;
  const Gaussian mapped = normal_of(maps, training);
  const std::vector<double> left = unexplained(normal_of(straight, training));
  const std::vector<double> left_by_maps = unexplained(mapped);
  std::vector<ColumnMap> kept = maps;
  for (std::size_t k = 0; k < maps.size(); ++k)
    if (left[k] < destroyed * left_by_maps[k]) kept[k] = straight[k];
  const double errors = errors_above(log_densities(normal_of(kept, training), kept, validation),
                                     log_densities(mapped, maps, validation), -most_nats);
  return errors > 2 ? kept : maps;
}

std::string text_of(const ColumnMap& map) {
  switch (map.shape) {
    case ColumnMap::Shape::straight: break;
    case ColumnMap::Shape::positive: return "is positive: its logarithm is modelled";
    case ColumnMap::Shape::interval: return "is between 0 and 1: its logit is modelled";
    case ColumnMap::Shape::heavy_tails: return "has heavy tails, which are drawn in";
  }
  return "is modelled as it is";
}

template <class T>
std::unique_ptr<flows::Bijector<T>> bijector_of(const std::vector<ColumnMap>& maps) {
  std::vector<double> means;
  std::vector<double> deviations;
  std::vector<BijectorPointer<T>> shapes;
  for (const ColumnMap& map : maps) {
    means.push_back(map.mean);
    deviations.push_back(map.deviation);
    shapes.push_back(shape_of<T>(map));
  }
  auto units = std::make_unique<flows::Standardise<T>>(std::move(means), std::move(deviations));
  if (are_straight(maps)) return units;
  std::vector<BijectorPointer<T>> parts;
  parts.push_back(std::move(units));
  parts.push_back(
      std::make_unique<flows::Stack<T>>(std::move(shapes), std::vector<Index>(maps.size(), 1)));
  return std::make_unique<flows::Chain<T>>(std::move(parts));
}

Tensor<double> standard_numbers(const Tensor<double>& rows, const std::vector<ColumnMap>& maps) {
  Tensor<double> result = Tensor<double>::zeros(rows.shape());
  const auto count = static_cast<std::size_t>(rows.shape()[0]);
  for (std::size_t k = 0; k < maps.size(); ++k) {
    const std::size_t first = k * count;
    const Undone undone = undo_shape(maps[k], rows.storage().subspan(first, count));
    std::ranges::transform(undone.values, result.storage().begin() + static_cast<Index>(first),
                           [&](double x) { return (x - maps[k].mean) / maps[k].deviation; });
  }
  return result;
}

template std::unique_ptr<flows::Bijector<float>> bijector_of(const std::vector<ColumnMap>&);
template std::unique_ptr<flows::Bijector<double>> bijector_of(const std::vector<ColumnMap>&);

}  // namespace fjord::apps::density
