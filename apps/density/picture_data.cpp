#include "fjord/apps/density/picture_data.hpp"

#include <algorithm>
#include <cmath>

#include "fjord/apps/common/message.hpp"
#include "fjord/apps/common/plane_density.hpp"

namespace fjord::apps::density {
namespace {

std::vector<double> column_of_table(const Tensor<double>& table, Index column) {
  std::vector<double> numbers(static_cast<std::size_t>(table.shape()[0]));
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = table(static_cast<Index>(i), column);
  return numbers;
}

void widen(Range& range, std::vector<double> numbers) {
  if (numbers.empty()) return;
  std::ranges::sort(numbers);
  const auto last = static_cast<double>(numbers.size() - 1);
  range.low = std::min(range.low, numbers[static_cast<std::size_t>(0.002 * last)]);
  range.high = std::max(range.high, numbers[static_cast<std::size_t>(std::ceil(0.998 * last))]);
}

// The density in bins, in units of 1 / range.
std::vector<double> histogram_of(const std::vector<double>& numbers, const Range& range,
                                 std::size_t bins) {
  std::vector<double> density(bins);
  const double share = static_cast<double>(bins) / static_cast<double>(numbers.size());
  for (const double x : numbers) {
    const double place = (x - range.low) / (range.high - range.low);
    if (place < 0 || place >= 1) continue;
    density[static_cast<std::size_t>(place * static_cast<double>(bins))] += share;
  }
  return density;
}

}  // namespace

Range shown_range(const Look& look, Index column) {
  Range range{HUGE_VAL, -HUGE_VAL};
  widen(range, column_of_table(look.samples, column));
  widen(range, column_of_table(look.rows, column));
  const double margin = range.high > range.low ? 0.04 * (range.high - range.low) : 1;
  return {range.low - margin, range.high + margin};
}

Look near_zero(Look look) {
  constexpr double most_spans = 100;
  for (std::size_t k = 0; k < look.names.size(); ++k) {
    const auto column = static_cast<Index>(k);
    const Range range = shown_range(look, column);
    const double span = range.high - range.low;
    const double digits = std::floor(std::log10(span));
    const double power = std::pow(10, std::abs(digits));
    // Quotients of whole numbers are short texts, products with 0.1 are not.
    const double zero =
        digits >= 0 ? std::floor(range.low / power) * power : std::floor(range.low * power) / power;
    if (!(std::abs(zero) > most_spans * span) || std::isinf(zero)) continue;
    for (Tensor<double>* const table : {&look.rows, &look.samples}) {
      for (Index i = 0; i < table->shape()[0]; ++i) (*table)(i, column) -= zero;
    }
    look.names[k] += (zero < 0 ? " + " : " - ") + number_text(std::abs(zero));
  }
  return look;
}

Histogram histogram_in(const Look& look, Index column, const Range& range) {
  const std::vector<double> rows = column_of_table(look.rows, column);
  const double wanted = rows.empty() ? 50 : 2 * std::cbrt(static_cast<double>(rows.size()));
  const auto bins = static_cast<std::size_t>(std::clamp(wanted, 10.0, 50.0));
  const std::vector<double> of_samples =
      histogram_of(column_of_table(look.samples, column), range, bins);
  const std::vector<double> of_rows = histogram_of(rows, range, bins);
  Histogram result;
  for (std::size_t i = 0; i < bins; ++i) {
    const double x = range.low + (static_cast<double>(i) + 0.5) / static_cast<double>(bins) *
                                     (range.high - range.low);
    const double of_row = rows.empty() ? 0 : of_rows[i];
    result.text +=
        number_text(x) + " " + number_text(of_row) + " " + number_text(of_samples[i]) + "\n";
    result.peak = std::max({result.peak, of_row, of_samples[i]});
  }
  return result;
}

std::vector<double> density_of_pair(const Look& look, Index x, Index y, const Range& x_range,
                                    const Range& y_range) {
  const Index count = look.samples.shape()[0];
  Tensor<double> points = Tensor<double>::zeros({count, 2});
  for (Index i = 0; i < count; ++i) {
    points(i, 0) = (look.samples(i, x) - x_range.low) / (x_range.high - x_range.low);
    points(i, 1) = (look.samples(i, y) - y_range.low) / (y_range.high - y_range.low);
  }
  constexpr double bandwidth = 0.02;
  std::vector<double> density = density_on_cells(
      points, {0, 0, 1.0 / density_cells, density_cells, density_cells}, bandwidth);
  const double peak = std::ranges::max(density);
  // The power shows where the density is low; steps make files half as large.
  constexpr double steps = 12;
  for (double& value : density)
    value = peak > 0 ? std::round(steps * std::pow(value / peak, 0.6)) / steps : 0;
  return density;
}

}  // namespace fjord::apps::density
