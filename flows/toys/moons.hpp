/// The two moons: half circles that reach into each other, with noise.
#pragma once

#include "fjord/flows/toy_set.hpp"
#include "fjord/flows/toys/noisy_curve.hpp"

namespace fjord::flows {

/// Evenly spaced points on the two half circles, plus noise.
///
/// Shapes:  [points, 2]; first the moon (cos a, sin a), then (1 - cos a, 1/2 - sin a), with a in
///          [0, pi].
/// Units:   `noise` is the standard deviation of each coordinate.
/// Source:  scikit-learn's make_moons, without its shuffling.
Tensor<double> make_moons(Index points, double noise, const RandomKey& random);

/// Independent draws of the moon, of a uniform angle and of the noise.
///
/// Source:  as make_moons().
/// Note:    entropy() is a quadrature to about 3e-6 for any noise above 0, 0.4770 at 0.06. A noise
///          below 1e-6 has no log-density: rounded coordinates do not tell it.
class Moons final : public ToySet {
 public:
  /// Errors:  std::invalid_argument if the noise is negative or not finite.
  explicit Moons(double noise);

  std::string_view name() const override { return "moons"; }

  Index dim() const override { return 2; }

  std::optional<double> entropy() const override;

  bool has_log_density() const override { return curves_.noise() >= 1e-6; }

 protected:
  NumbersPerRow numbers_per_row() const override { return {.uniform = 2, .normal = 2}; }

  void place(std::span<const double> uniform, std::span<const double> normal,
             std::span<double> row) const override;
  double log_density_at(std::span<const double> point) const override;

 private:
  NoisyCurves curves_;
};

}  // namespace fjord::flows
