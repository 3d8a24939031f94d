/// The two moons: points, their entropy, and the grid that shows what a flow does to the plane.
#pragma once

#include <optional>

#include "fjord/autodiff/random.hpp"
#include "fjord/autodiff/tensor.hpp"

namespace fjord::apps {

/// Evenly spaced points on the two half circles, plus noise.
///
/// Shapes:  [points, 2]; first the moon (cos a, sin a), then (1 - cos a, 1/2 - sin a), with a in
///          [0, pi].
/// Units:   `noise` is the standard deviation of each coordinate.
/// Source:  scikit-learn's make_moons, without its shuffling.
Tensor<double> make_moons(Index points, double noise, const RandomKey& random);

/// Independent draws: of the moon, of a uniform angle and of the noise.
///
/// Shapes:  [rows, 2].
Tensor<double> independent_moons(Index rows, double noise, const RandomKey& random);

/// The entropy of the distribution that independent_moons() draws from, by quadrature to about
/// 3e-6; nothing at noise 0.
///
/// Units:   nats; 0.4770 at noise 0.06.
std::optional<double> moons_entropy(double noise);

/// The points of a square grid of lines from -extent to extent in both coordinates, line by line.
///
/// Shapes:  [2 lines points_a_line, 2]; first the lines of constant first coordinate.
Tensor<double> grid_of_lines(Index lines, Index points_a_line, double extent);

}  // namespace fjord::apps
