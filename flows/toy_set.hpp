/// Distributions of points in two or three dimensions, with exact densities where they exist.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "fjord/autodiff/random.hpp"
#include "fjord/autodiff/tensor.hpp"

namespace fjord::flows {

/// How many random numbers a row is made of.
struct NumbersPerRow {
  Index uniform = 0;
  Index normal = 0;
};

/// A distribution of points that is known exactly, to learn and to judge models by.
class ToySet {
 public:
  ToySet() = default;
  ToySet(const ToySet&) = delete;
  ToySet& operator=(const ToySet&) = delete;
  virtual ~ToySet() = default;

  virtual std::string_view name() const = 0;
  /// D, the number of coordinates: 2 or 3.
  virtual Index dim() const = 0;
  /// The entropy, or nothing where it is not known, or where there is no density.
  ///
  /// Units:   nats, to 1e-6 unless the set says otherwise.
  virtual std::optional<double> entropy() const = 0;
  /// Whether log_density() can be called.
  virtual bool has_log_density() const = 0;

  /// Draws independent rows; row i depends only on the key and on i.
  ///
  /// Shapes:  [rows, D].
  /// Errors:  std::invalid_argument if `rows` is negative.
  Tensor<double> draw(Index rows, const RandomKey& random) const;
  /// The logarithm of the density at a point.
  ///
  /// Shapes:  point [D].
  /// Units:   nats; minus infinity where the density is 0.
  /// Errors:  std::invalid_argument if the set has no log-density, the point does not have D
  ///          coordinates, or one of them is not finite.
  double log_density(std::span<const double> point) const;

 protected:
  virtual NumbersPerRow numbers_per_row() const = 0;
  /// Makes a row [D] of its own random numbers.
  virtual void place(std::span<const double> uniform, std::span<const double> normal,
                     std::span<double> row) const = 0;
  /// log_density() at a finite point [D]; only called if has_log_density().
  virtual double log_density_at(std::span<const double> point) const = 0;
};

}  // namespace fjord::flows
