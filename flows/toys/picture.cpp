#include "fjord/flows/toys/picture.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fjord/autodiff/errors.hpp"

namespace fjord::flows {

Picture::Picture(std::string name, const Tensor<double>& pixels) : name_(std::move(name)) {
  const Shape& shape = pixels.shape();
  require(shape.rank() == 2 && shape.size() > 0, "Picture", [&] {
    return "pixels must have the shape [height, width], not empty, got " + to_string(shape);
  });
  width_ = shape[1];
  side_ = 8 / static_cast<double>(std::max(shape[0], shape[1]));
  left_ = -side_ * static_cast<double>(shape[1]) / 2;
  top_ = side_ * static_cast<double>(shape[0]) / 2;
  pixels_ = pixels.to_vector();
  require(std::ranges::all_of(pixels_, [](double p) { return p >= 0 && std::isfinite(p); }),
          "Picture", "all pixels must be finite and >= 0");
  sums_.resize(pixels_.size());
  std::partial_sum(pixels_.begin(), pixels_.end(), sums_.begin());
  require(sums_.back() > 0 && std::isfinite(sums_.back()), "Picture", [&] {
    return "the sum of the pixels must be positive and finite, got " + std::to_string(sums_.back());
  });
}

double Picture::log_density_of(double pixel) const {
  return std::log(pixel) - std::log(sums_.back()) - 2 * std::log(side_);
}

std::optional<double> Picture::entropy() const {
  double sum = 0;
  for (const double pixel : pixels_) {
    if (pixel > 0) sum -= pixel / sums_.back() * log_density_of(pixel);
  }
  return sum;
}

void Picture::place(std::span<const double> uniform, std::span<const double>,
                    std::span<double> row) const {
  // The first pixel whose sum is above, which is not 0; a product rounded up to the total has none.
  const double below = std::min(uniform[0] * sums_.back(), std::nextafter(sums_.back(), 0.0));
  const Index at = std::ranges::upper_bound(sums_, below) - sums_.begin();
  const Index line = at / width_;
  row[0] = left_ + side_ * (static_cast<double>(at % width_) + uniform[1]);
  row[1] = top_ - side_ * (static_cast<double>(line) + 1 - uniform[2]);
}

double Picture::log_density_at(std::span<const double> point) const {
  const double column = std::floor((point[0] - left_) / side_);
  const double row = std::ceil((top_ - point[1]) / side_) - 1;
  const double rows = static_cast<double>(pixels_.size()) / static_cast<double>(width_);
  const bool inside = column >= 0 && column < static_cast<double>(width_) && row >= 0 && row < rows;
  const double at = row * static_cast<double>(width_) + column;
  return log_density_of(inside ? pixels_[static_cast<std::size_t>(at)] : 0);
}

}  // namespace fjord::flows
