/// Integrals that densities and entropies of toy sets are made of.
#pragma once

#include <array>
#include <functional>
#include <span>
#include <vector>

namespace fjord::flows {

/// A node of a quadrature on [-1, 1].
struct Node {
  double x;
  double weight;
};

/// Gauss and Legendre's rule with `count` nodes.
std::vector<Node> gauss_legendre(int count);

/// The logarithm of the probability that a standard normal lies in [low, high], however far out.
///
/// Units:   low < high.
double log_normal_mass(double low, double high);

/// A rectangle of the plane.
struct Rectangle {
  std::array<double, 2> low;
  std::array<double, 2> high;
};

/// The entropy of a smooth density that is nothing outside a rectangle: minus the sum of p log p
/// over a grid.
///
/// Units:   nats; `spacing` is that of the grid.
/// Note:    such sums converge faster than any power of the spacing, so that half a deviation of
///          the noise that makes a density smooth is enough for 1e-6.
double plane_entropy(const std::function<double(std::span<const double>)>& log_density,
                     const Rectangle& rectangle, double spacing);

}  // namespace fjord::flows
