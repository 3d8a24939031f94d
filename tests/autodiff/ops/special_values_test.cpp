// Every operation of the table with derivatives that are not finite, zero or masked in single
// entries: kernels against recorded rules, reverse against forward, and the checks that a tape
// makes of itself.
#include <cmath>
#include <sstream>

#include <doctest/doctest.h>

#include "fjord/autodiff/kernels/simd.hpp"
#include "fjord/autodiff/rules/inner_sweep.hpp"
#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {
namespace {

constexpr double masked = kernels::simd::masked_zero<double>;
const std::vector<double> special{nan, inf, -inf, 0.0, masked, 1.0};

std::string text(double x) {
  std::ostringstream out;
  out.precision(17);
  out << x;
  return out.str();
}

Vars<double> record(Tape<double>& tape, const Tensors& at) {
  Vars<double> vars;
  for (const Tensor<double>& x : at) vars.push_back(tape.input(x));
  return vars;
}

Tensors filled_like(const Vars<double>& vars, double number) {
  Tensors result;
  for (const Var<double>& var : vars) result.push_back(Tensor<double>::full(var.shape(), number));
  return result;
}

Tensors values(const Vars<double>& vars) {
  Tensors result;
  for (const Var<double>& var : vars) result.emplace_back(var.value());
  return result;
}

// All points that are known of a row.
std::vector<Tensors> points_of(const Row& row) {
  std::vector<Tensors> points{row.at};
  for (const Edge& edge : row.edges) points.push_back(edge.at);
  return points;
}

bool agree(double a, double b) {
  if (a == b) return std::signbit(a) == std::signbit(b) || a != 0;
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return std::abs(a - b) <= 1e-11 * std::max({1e-300, std::abs(a), std::abs(b)});
}

std::string difference(const Tensors& a, const Tensors& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto left = a[i].storage();
    const auto right = b[i].storage();
    for (std::size_t k = 0; k < left.size(); ++k) {
      if (!agree(left[k], right[k])) {
        return "input " + std::to_string(i) + ", entry " + std::to_string(k) + ": " +
               text(left[k]) + " and " + text(right[k]);
      }
    }
  }
  return {};
}

// The first entries of some tensors, and the last.
std::vector<std::pair<std::size_t, std::size_t>> entries_of(const Tensors& tensors) {
  std::vector<std::pair<std::size_t, std::size_t>> result;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto count = static_cast<std::size_t>(tensors[i].size());
    for (std::size_t k = 0; k < count; ++k) {
      if (k < 4 || k + 1 == count) result.emplace_back(i, k);
    }
  }
  return result;
}

Tensors reverse_by_kernels(const Row& row, const Tensors& at, const Tensors& cotangents) {
  Tape<double> tape;
  const Vars<double> inputs = record(tape, at);
  const Vars<double> outputs = row.f(inputs);
  const std::vector<TensorView<double>> views(cotangents.begin(), cotangents.end());
  Tensors result;
  for (const TensorView<double>& g : rules::inner_pullback_values<double>(outputs, views, inputs))
    result.emplace_back(g);
  return result;
}

Tensors reverse_by_rules(const Row& row, const Tensors& at, const Tensors& cotangents) {
  Tape<double> tape;
  const Vars<double> inputs = record(tape, at);
  return values(rules::inner_pullback(row.f(inputs), record(tape, cotangents), inputs));
}

Tensors forward(const Row& row, const Tensors& at, const Tensors& tangents) {
  Tape<double> tape;
  const Vars<double> inputs = record(tape, at);
  return values(rules::inner_pushforward(inputs, record(tape, tangents), row.f(inputs)));
}

Tensors outputs_like(const Row& row, const Tensors& at, double number) {
  Tape<double> tape;
  return filled_like(row.f(record(tape, at)), number);
}

std::string compare_kernels(const Row& row, const Tensors& at) {
  for (const double other : {1.0, masked}) {
    const Tensors base = outputs_like(row, at, other);
    for (const auto& [i, k] : entries_of(base)) {
      for (const double number : special) {
        Tensors seeds = base;
        seeds[i].storage()[k] = number;
        const std::string found =
            difference(reverse_by_kernels(row, at, seeds), reverse_by_rules(row, at, seeds));
        if (found.empty()) continue;
        return "cotangent " + text(number) + " at " + std::to_string(i) + ", " + std::to_string(k) +
               " among " + text(other) + ": " + found;
      }
    }
  }
  return {};
}

Tensors outputs_at(const Row& row, const Tensors& at) {
  Tape<double> tape;
  return values(row.f(record(tape, at)));
}

bool has_nan(const Tensors& tensors) {
  for (const Tensor<double>& x : tensors) {
    for (const double number : x.storage()) {
      if (std::isnan(number)) return true;
    }
  }
  return false;
}

// Sums of infinite parts may differ in what they are, but not in that.
bool are_close(double a, double b) {
  if (!std::isfinite(a) || !std::isfinite(b)) return std::isfinite(a) == std::isfinite(b);
  return std::abs(a - b) <= 1e-9 * std::max({1.0, std::abs(a), std::abs(b)});
}

// One entry moves: what it gives to one result must be what that gives to it.
std::string compare_directions(const Row& row, const Tensors& at) {
  if (has_nan(outputs_at(row, at))) return {};  // which reaches one direction and not the other
  const Tensors still_outputs = outputs_like(row, at, masked);
  Tensors still_inputs = at;
  for (Tensor<double>& x : still_inputs) std::fill(x.storage().begin(), x.storage().end(), masked);
  for (const double number : special) {
    for (const auto& [i, k] : entries_of(still_inputs)) {
      Tensors tangents = still_inputs;
      tangents[i].storage()[k] = number;
      const Tensors moved = forward(row, at, tangents);
      for (const auto& [o, l] : entries_of(still_outputs)) {
        Tensors cotangents = still_outputs;
        cotangents[o].storage()[l] = number;
        const double back = reverse_by_rules(row, at, cotangents)[i].storage()[k];
        const double there = moved[o].storage()[l];
        if (are_close(back, there)) continue;
        return text(number) + " from input " + std::to_string(i) + ", " + std::to_string(k) +
               " to output " + std::to_string(o) + ", " + std::to_string(l) + ": forward " +
               text(there) + ", reverse " + text(back);
      }
    }
  }
  return {};
}

std::string with_point(const std::string& found, const Tensors& at) {
  if (found.empty()) return found;
  std::string where = "at";
  for (const Tensor<double>& x : at) where += " " + to_string<double>(x);
  return where + ": " + found;
}

template <class Check>
void check_all(Check check) {
  const Rows table = all_rows();
  for (const Row& row : table.rows()) {
    CAPTURE(row.name);
    CAPTURE(row.variant);
    for (const Tensors& at : points_of(row)) CHECK(with_point(check(row, at), at) == "");
  }
}

TEST_CASE("special values: kernels and recorded rules agree, masks included") {
  check_all(compare_kernels);
}

TEST_CASE("special values: reverse and forward sweeps agree") {
  check_all(compare_directions);
}

bool all_finite(const Tensors& tensors) {
  for (const Tensor<double>& x : tensors) {
    for (const double number : x.storage()) {
      if (!std::isfinite(number)) return false;
    }
  }
  return true;
}

// The results that are asked for, one after another, as long as they are finite.
std::string checked(const Row& row, const Tensors& at, bool checks, int results) {
  Tape<double> tape;
  tape.check_finite(checks);
  try {
    const Vars<double> inputs = record(tape, at);
    const Vars<double> outputs = row.f(inputs);
    const auto ends = [&](const Tensors& found) {
      if (!all_finite(found)) throw std::range_error("not finite");
      return --results == 0;
    };
    if (ends(values(outputs))) return {};
    const Tensors ones = filled_like(outputs, 1);
    const std::vector<TensorView<double>> views(ones.begin(), ones.end());
    Tensors found;
    for (const TensorView<double>& g : pullback_values<double>(outputs, views, inputs))
      found.emplace_back(g);
    if (ends(found)) return {};
    const Vars<double> along = record(tape, filled_like(inputs, 1));
    const Vars<double> gradients = pullback(outputs, record(tape, ones), inputs);
    if (ends(values(gradients))) return {};
    if (ends(values(pushforward(inputs, along, outputs)))) return {};
    if (ends(values(pushforward(inputs, along, gradients)))) return {};
    if (ends(values(pullback(gradients, record(tape, filled_like(gradients, 1)), inputs))))
      return {};
    return {};
  } catch (const std::exception& error) {
    return error.what();
  }
}

TEST_CASE("special values: finite results give no report of numbers that are not") {
  check_all([](const Row& row, const Tensors& at) -> std::string {
    if (!all_finite(at)) return {};
    for (int results = 1; results <= 6; ++results) {
      if (!checked(row, at, false, results).empty()) return {};
      std::string report = checked(row, at, true, results);
      if (!report.empty()) return report;
    }
    return {};
  });
}

}  // namespace
}  // namespace fjord::test
