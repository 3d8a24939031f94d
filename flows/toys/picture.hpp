/// A grey picture as a density of the plane.
#pragma once

#include <string>
#include <vector>

#include "fjord/flows/toy_set.hpp"

namespace fjord::flows {

/// The density of the plane that is constant in each pixel and proportional to its value.
///
/// The longer side of the picture runs from -4 to 4, the other is centred; pixels are squares. The
/// first row of pixels is on top, at the largest second coordinate.
///
/// Note:    log_density() and entropy() are exact. A pixel has its left and its lower edge.
class Picture final : public ToySet {
 public:
  /// Shapes:  pixels [height, width].
  /// Errors:  std::invalid_argument if the shape has not two axes, a pixel is negative or not
  ///          finite, or their sum is not positive and finite.
  Picture(std::string name, const Tensor<double>& pixels);

  std::string_view name() const override { return name_; }

  Index dim() const override { return 2; }

  std::optional<double> entropy() const override;

  bool has_log_density() const override { return true; }

 protected:
  NumbersPerRow numbers_per_row() const override { return {.uniform = 3}; }

  void place(std::span<const double> uniform, std::span<const double> normal,
             std::span<double> row) const override;
  double log_density_at(std::span<const double> point) const override;

 private:
  // The logarithm of a pixel's probability over its area.
  double log_density_of(double pixel) const;

  std::string name_;
  Index width_;
  double side_;                 // of a pixel
  double left_;                 // the least first coordinate
  double top_;                  // the greatest second coordinate
  std::vector<double> pixels_;  // row by row
  std::vector<double> sums_;    // of all pixels up to each
};

}  // namespace fjord::flows
