#include "fjord/apps/moons/grid_of_lines.hpp"

namespace fjord::apps {

Tensor<double> grid_of_lines(Index lines, Index points_a_line, double extent) {
  Tensor<double> result = Tensor<double>::zeros({2 * lines * points_a_line, 2});
  const auto position = [extent](Index i, Index count) {
    return extent * (2 * static_cast<double>(i) / static_cast<double>(count - 1) - 1);
  };
  Index row = 0;
  for (const Index fixed : {0, 1}) {
    for (Index line = 0; line < lines; ++line) {
      for (Index i = 0; i < points_a_line; ++i, ++row) {
        result(row, fixed) = position(line, lines);
        result(row, 1 - fixed) = position(i, points_a_line);
      }
    }
  }
  return result;
}

}  // namespace fjord::apps
