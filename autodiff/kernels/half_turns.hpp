/// Sine and cosine of half turns: of pi x, exactly 0, 1 or -1 where they are so.
#pragma once

#include <cmath>
#include <numbers>

namespace fjord::kernels {

inline double sin_pi(double x) {
  const double r = std::remainder(x, 2.0);
  return std::sin(std::numbers::pi * (std::abs(r) > 0.5 ? std::copysign(1.0, r) - r : r));
}

inline double cos_pi(double x) {
  return sin_pi(0.5 - std::abs(std::remainder(x, 2.0)));
}

}  // namespace fjord::kernels
