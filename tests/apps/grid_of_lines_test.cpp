#include "fjord/apps/moons/grid_of_lines.hpp"

#include <doctest/doctest.h>

namespace fjord::apps {
namespace {

TEST_CASE("grid_of_lines: a grid runs along its lines") {
  const Tensor<double> grid = grid_of_lines(2, 3, 1.5);
  CHECK(grid == Tensor<double>{{-1.5, -1.5},
                               {-1.5, 0},
                               {-1.5, 1.5},
                               {1.5, -1.5},
                               {1.5, 0},
                               {1.5, 1.5},
                               {-1.5, -1.5},
                               {0, -1.5},
                               {1.5, -1.5},
                               {-1.5, 1.5},
                               {0, 1.5},
                               {1.5, 1.5}});
}

}  // namespace
}  // namespace fjord::apps
