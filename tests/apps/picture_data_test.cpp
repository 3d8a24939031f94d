#include "fjord/apps/density/picture_data.hpp"

#include <algorithm>

#include <doctest/doctest.h>

namespace fjord::apps::density {
namespace {

// Samples 0 .. 9 in one column and their squares in another; rows 0 and 20.
Look small_look() {
  Look look;
  look.names = {"x", "y"};
  look.dim = 2;
  look.samples = Tensor<double>::zeros({10, 2});
  for (Index i = 0; i < 10; ++i) {
    look.samples(i, 0) = static_cast<double>(i);
    look.samples(i, 1) = static_cast<double>(i * i);
  }
  look.rows = Tensor<double>{{0, 0}, {20, 81}};
  return look;
}

TEST_CASE("picture_data: an axis holds rows and samples, but for the farthest of many") {
  Look look = small_look();
  const Range range = shown_range(look, 0);
  CHECK(range.low == doctest::Approx(-0.8));
  CHECK(range.high == doctest::Approx(20.8));
  look.rows = Tensor<double>::zeros({1000, 2});
  look.rows(17, 0) = 1e9;
  CHECK(shown_range(look, 0).high == doctest::Approx(9.36));
  look.samples = Tensor<double>::full({5, 2}, 3);
  look.rows = Tensor<double>::full({5, 2}, 3);
  CHECK(shown_range(look, 1).low == 2);
  CHECK(shown_range(look, 1).high == 4);
}

TEST_CASE("picture_data: columns far from 0 are shown less a number near them") {
  Look look;
  look.names = {"time", "near", "cold"};
  look.rows = Tensor<double>{{1.7e9 + 3, 300, -273.15}, {1.7e9 + 28, 310, -273.1}};
  look.samples = Tensor<double>::zeros({0, 3});
  const Look shown = near_zero(look);
  // Of spans 25, 10 and 0.05.
  CHECK(shown.names == std::vector<std::string>{"time - 1.7e+09", "near", "cold + 273.16"});
  CHECK(shown.rows(0, 0) == 3);
  CHECK(shown.rows(1, 0) == 28);
  CHECK(shown.rows(1, 1) == 310);
  CHECK(shown.rows(0, 2) == doctest::Approx(0.01));
  look.rows = Tensor<double>::zeros({0, 3});
  CHECK(near_zero(look).names == look.names);
}

TEST_CASE("picture_data: bins hold shares of all rows, also of those that are not shown") {
  const Histogram histogram = histogram_in(small_look(), 0, {0, 10});
  // Ten bins with a sample in each, and one of two rows in the first.
  CHECK(histogram.text.starts_with("0.5 5 1\n1.5 0 1\n2.5 0 1\n"));
  CHECK(std::ranges::count(histogram.text, '\n') == 10);
  CHECK(histogram.peak == 5);
}

TEST_CASE("picture_data: the density of a pair is largest where the samples are") {
  Look look = small_look();
  look.samples = Tensor<double>{{1, 30}, {1, 30}, {7, 10}};
  const std::vector<double> density = density_of_pair(look, 0, 1, {0, 10}, {0, 40});
  const auto at = [&](double x, double y) {
    const auto column = static_cast<std::size_t>(x * density_cells);
    return density[static_cast<std::size_t>(y * density_cells) * density_cells + column];
  };
  CHECK(at(0.1, 0.75) == 1);
  // Half as dense: 0.5^0.6 = 0.66, to the nearest of 12 steps.
  CHECK(at(0.7, 0.25) == doctest::Approx(8.0 / 12));
  CHECK(at(0.4, 0.5) == 0);
}

}  // namespace
}  // namespace fjord::apps::density
