#include "fjord/autodiff/kernels/divided_differences.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace fjord::kernels {
namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();

// How many points the derivative in between is read at, the roots of a Chebyshev polynomial.
constexpr std::size_t nodes = 10;

using Coefficients = std::array<double, nodes>;

double node_angle(std::size_t j) {
  return std::numbers::pi * (2 * static_cast<double>(j) + 1) / (2 * static_cast<double>(nodes));
}

double factorial(int n) {
  return std::tgamma(n + 1.0);
}

// The means of 1, u, u^2, ... with the weight of the B-spline with these knots: complete
// homogeneous polynomials of the knots, by binomial coefficients.
Coefficients spline_moments(std::span<const double> knots) {
  Coefficients moments{1};
  for (const double y : knots) {
    for (std::size_t j = 1; j < nodes; ++j) moments[j] += y * moments[j - 1];
  }
  const auto order = static_cast<double>(knots.size() - 1);
  double binomial = 1;
  for (std::size_t j = 1; j < nodes; ++j) {
    binomial *= (order + static_cast<double>(j)) / static_cast<double>(j);
    moments[j] /= binomial;
  }
  return moments;
}

// The means of the Chebyshev polynomials T_0, T_1, ... from those of powers.
Coefficients chebyshev_means(const Coefficients& moments) {
  Coefficients means{};
  Coefficients before{};
  Coefficients now{1};
  for (std::size_t l = 0; l < nodes; ++l) {
    for (std::size_t j = 0; j < nodes; ++j) means[l] += now[j] * moments[j];
    Coefficients next{};
    for (std::size_t j = 1; j < nodes; ++j) next[j] = (l == 0 ? 1 : 2) * now[j - 1];
    for (std::size_t j = 0; j < nodes; ++j) next[j] -= before[j];
    before = now;
    now = next;
  }
  return means;
}

// Of the polynomial that takes these values at the nodes, in Chebyshev polynomials.
Coefficients interpolate(std::span<const double> values) {
  Coefficients result{};
  for (std::size_t l = 0; l < nodes; ++l) {
    for (std::size_t j = 0; j < nodes; ++j) {
      result[l] += values[j] * std::cos(static_cast<double>(l) * node_angle(j));
    }
    result[l] *= (l == 0 ? 1.0 : 2.0) / static_cast<double>(nodes);
  }
  return result;
}

// Calls body(indices) for every ascending choice of `count` among n, with repetitions.
template <class Body>
void for_each_choice(Index n, std::size_t count, Body body) {
  if (n == 0) return;
  std::vector<Index> choice(count, 0);
  while (true) {
    body(choice);
    std::size_t at = count;
    while (at > 0 && choice[at - 1] == n - 1) --at;
    if (at == 0) return;
    const Index next = choice[at - 1] + 1;
    std::fill(choice.begin() + static_cast<std::ptrdiff_t>(at) - 1, choice.end(), next);
  }
}

}  // namespace

DividedDifferences::DividedDifferences(std::span<const double> points, int order,
                                       const Derivatives& derivatives)
    : points_(points) {
  for (int m = 0; m <= order; ++m) table_ = of_order(m, table_, derivatives);
}

double DividedDifferences::operator()(std::span<const Index> indices) const {
  std::array<Index, 16> sorted;
  const auto end = std::copy(indices.begin(), indices.end(), sorted.begin());
  std::sort(sorted.begin(), end);
  return table_[place(std::span(sorted.begin(), end))].value;
}

std::size_t DividedDifferences::place(std::span<const Index> ascending) const {
  std::size_t place = 0;
  for (const Index i : ascending) place = place * points_.size() + static_cast<std::size_t>(i);
  return place;
}

DividedDifferences::Entry DividedDifferences::quotient(std::span<const Index> choice,
                                                       const Table& before) const {
  const Entry upper = before[place(choice.subspan(1))];
  const Entry lower = before[place(choice.first(choice.size() - 1))];
  const double width = points_[static_cast<std::size_t>(choice.back())] -
                       points_[static_cast<std::size_t>(choice.front())];
  const double value = (upper.value - lower.value) / width;
  return {value, (upper.error + lower.error) / width + epsilon * std::abs(value)};
}

DividedDifferences::Table DividedDifferences::of_order(int order, const Table& before,
                                                       const Derivatives& derivatives) const {
  const auto n = static_cast<Index>(points_.size());
  std::vector<double> at_points(points_.size());
  derivatives(order, points_, at_points);
  const auto count = static_cast<std::size_t>(order) + 1;
  Table table(static_cast<std::size_t>(std::pow(static_cast<double>(n), order + 1)));
  std::vector<std::vector<Index>> inexact;
  for_each_choice(n, count, [&](const std::vector<Index>& choice) {
    Entry& entry = table[place(choice)];
    const auto first = static_cast<std::size_t>(choice.front());
    if (points_[first] == points_[static_cast<std::size_t>(choice.back())]) {
      const double value = at_points[first] / factorial(order);
      entry = {value, epsilon * std::abs(value)};
      return;
    }
    entry = quotient(choice, before);
    constexpr double tolerance = 32 * epsilon;
    if (entry.error > tolerance * std::abs(entry.value)) inexact.push_back(choice);
  });
  improve(order, inexact, derivatives, table);
  return table;
}

void DividedDifferences::improve(int order, const std::vector<std::vector<Index>>& choices,
                                 const Derivatives& derivatives, Table& table) const {
  if (choices.empty()) return;
  std::vector<double> at;
  const auto span_of = [&](const std::vector<Index>& choice) {
    const double low = points_[static_cast<std::size_t>(choice.front())];
    const double high = points_[static_cast<std::size_t>(choice.back())];
    return std::pair(low + (high - low) / 2, (high - low) / 2);
  };
  for (const std::vector<Index>& choice : choices) {
    const auto [middle, half] = span_of(choice);
    for (std::size_t j = 0; j < nodes; ++j) at.push_back(middle + half * std::cos(node_angle(j)));
  }
  std::vector<double> found(at.size());
  derivatives(order, at, found);
  std::vector<double> knots(static_cast<std::size_t>(order) + 1);
  for (std::size_t k = 0; k < choices.size(); ++k) {
    const auto [middle, half] = span_of(choices[k]);
    for (std::size_t i = 0; i < knots.size(); ++i) {
      // A span of few units in the last place has no middle of its own.
      const double knot = (points_[static_cast<std::size_t>(choices[k][i])] - middle) / half;
      knots[i] = std::clamp(knot, -1.0, 1.0);
    }
    const std::span<const double> values(found.data() + k * nodes, nodes);
    const Coefficients polynomial = interpolate(values);
    const Coefficients means = chebyshev_means(spline_moments(knots));
    double mean = 0;
    double size = 0;
    for (std::size_t l = nodes; l-- > 0;) mean += polynomial[l] * means[l];
    for (const double value : values) size = std::max(size, std::abs(value));
    const double rest = std::abs(polynomial[nodes - 1]) + std::abs(polynomial[nodes - 2]);
    Entry& entry = table[place(choices[k])];
    const double error = (rest + 4 * epsilon * size) / factorial(order);
    if (error < entry.error) entry = {mean / factorial(order), error};
  }
}

}  // namespace fjord::kernels
