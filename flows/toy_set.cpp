#include "fjord/flows/toy_set.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "fjord/autodiff/errors.hpp"

namespace fjord::flows {

Tensor<double> ToySet::draw(Index rows, const RandomKey& random) const {
  require(rows >= 0, "draw", [&] { return "rows must be >= 0, got " + std::to_string(rows); });
  const NumbersPerRow count = numbers_per_row();
  Tensor<double> result = Tensor<double>::zeros({rows, dim()});
  std::vector<double> uniform(static_cast<std::size_t>(rows * count.uniform));
  std::vector<double> normal(static_cast<std::size_t>(rows * count.normal));
  random.uniform<double>(uniform);
  random.normal<double>(normal);
  std::vector<double> row(static_cast<std::size_t>(dim()));
  for (Index i = 0; i < rows; ++i) {
    place({uniform.data() + i * count.uniform, static_cast<std::size_t>(count.uniform)},
          {normal.data() + i * count.normal, static_cast<std::size_t>(count.normal)}, row);
    for (Index d = 0; d < dim(); ++d) result(i, d) = row[static_cast<std::size_t>(d)];
  }
  return result;
}

double ToySet::log_density(std::span<const double> point) const {
  require(has_log_density(), "log_density",
          [&] { return "the set must have a log-density, got " + std::string(name()); });
  require(static_cast<Index>(point.size()) == dim(), "log_density", [&] {
    return "a point of " + std::string(name()) + " must have " + std::to_string(dim()) +
           " coordinates, got " + std::to_string(point.size());
  });
  require(std::ranges::all_of(point, [](double x) { return std::isfinite(x); }), "log_density",
          "all coordinates must be finite");
  return log_density_at(point);
}

}  // namespace fjord::flows
