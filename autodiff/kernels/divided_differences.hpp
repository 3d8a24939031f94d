/// Divided differences of a function at points of which some coincide, or nearly.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "fjord/autodiff/shape.hpp"

namespace fjord::kernels {

/// Writes the derivative of some order of a function of one number, at every point.
using Derivatives =
    std::function<void(int order, std::span<const double> points, std::span<double> values)>;

/// The divided differences f[x_i, ..., x_l] of one order at all choices among n points.
///
/// Where points lie close together, quotients lose digits. There the derivative in between is used:
/// f[x_0, ..., x_m] is its mean with the weight of a B-spline, divided by m!.
/// Note:    Takes some n^(order + 1) numbers.
/// Source:  de Boor, Divided differences, Surveys in Approximation Theory 1, 2005, sections 6 and
///          7.
class DividedDifferences final {
 public:
  /// The points are ascending.
  DividedDifferences(std::span<const double> points, int order, const Derivatives& derivatives);

  /// At the points with these indices, of which there are order + 1, in any order.
  double operator()(std::span<const Index> indices) const;

 private:
  struct Entry {
    double value;
    double error;  // an estimate
  };

  // Of one order, at the place that a list of ascending indices has.
  using Table = std::vector<Entry>;

  std::size_t place(std::span<const Index> ascending) const;
  Table of_order(int order, const Table& before, const Derivatives& derivatives) const;
  void improve(int order, const std::vector<std::vector<Index>>& choices,
               const Derivatives& derivatives, Table& table) const;
  Entry quotient(std::span<const Index> choice, const Table& before) const;

  std::span<const double> points_;
  Table table_;
};

}  // namespace fjord::kernels
