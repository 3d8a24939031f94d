#include "fjord/apps/common/plane_density.hpp"

#include <algorithm>
#include <cmath>

namespace fjord::apps {
namespace {

// Replaces every run of `count` values, `stride` apart, by its average under a Gaussian.
void blur(std::vector<double>& values, Index count, Index stride, double deviation) {
  const auto reach = static_cast<Index>(4 * deviation);
  std::vector<double> old(static_cast<std::size_t>(count));
  std::vector<double> weights;
  double total = 0;
  for (Index k = -reach; k <= reach; ++k) {
    const double u = static_cast<double>(k) / deviation;
    weights.push_back(std::exp(-u * u / 2));
    total += weights.back();
  }
  const auto runs = static_cast<Index>(values.size()) / count;
  for (Index run = 0; run < runs; ++run) {
    double* first = values.data() + (stride == 1 ? run * count : run);
    for (Index i = 0; i < count; ++i) old[static_cast<std::size_t>(i)] = first[i * stride];
    for (Index i = 0; i < count; ++i) {
      double sum = 0;
      for (Index k = std::max<Index>(-reach, -i); k <= std::min(reach, count - 1 - i); ++k) {
        sum += weights[static_cast<std::size_t>(k + reach)] * old[static_cast<std::size_t>(i + k)];
      }
      first[i * stride] = sum / total;
    }
  }
}

}  // namespace

std::vector<double> density_on_cells(const Tensor<double>& points, const PlaneCells& cells,
                                     double bandwidth) {
  const auto [left, bottom, size, columns, rows] = cells;
  std::vector<double> density(static_cast<std::size_t>(columns * rows));
  const double share = 1 / (static_cast<double>(points.shape()[0]) * size * size);
  for (Index i = 0; i < points.shape()[0]; ++i) {
    const double x = std::floor((points(i, 0) - left) / size);
    const double y = std::floor((points(i, 1) - bottom) / size);
    const bool is_inside =
        x >= 0 && x < static_cast<double>(columns) && y >= 0 && y < static_cast<double>(rows);
    if (!is_inside) continue;
    const Index place = static_cast<Index>(y) * columns + static_cast<Index>(x);
    density[static_cast<std::size_t>(place)] += share;
  }
  blur(density, columns, 1, bandwidth / size);
  blur(density, rows, columns, bandwidth / size);
  return density;
}

}  // namespace fjord::apps
