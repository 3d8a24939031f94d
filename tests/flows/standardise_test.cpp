#include "fjord/flows/standardise.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_battery.hpp"

namespace fjord::flows {
namespace {

TEST_CASE("standardise: every route, company, precision and the file agree") {
  test::check_bijector({.name = "standardise",
                        .make =
                            [](const RandomKey&) {
                              return std::make_unique<Standardise<double>>(
                                  std::vector<double>{3, -0.1, 20}, std::vector<double>{0.2, 5, 9});
                            },
                        .x = test::normals({4, 3}, 1)});
}

TEST_CASE_TEMPLATE("standardise: rows get the mean 0 and the variance 1", T, float, double) {
  // Column 0 has the mean 5 and the deviation 2, column 1 -1 and 0.5.
  const Tensor<T> rows{{2, -1.5}, {4, -1.5}, {4, -1.5}, {4, -1.5},
                       {5, -0.5}, {5, -0.5}, {7, -0.5}, {9, -0.5}};
  const auto units = Standardise<T>::of_rows(rows);
  Tape<T> tape;
  Context<T> context;
  const WithLogDet<T> z = units->inverse_with_log_det(tape.input(rows), context);
  CHECK(Tensor<T>(z.value.value()) ==
        Tensor<T>{{-1.5, -1}, {-0.5, -1}, {-0.5, -1}, {-0.5, -1}, {0, 1}, {0, 1}, {1, 1}, {2, 1}});
  for (const T log_det : Tensor<T>(z.log_det.value()).to_vector()) CHECK(log_det == 0);
  const Var<T> x = units->forward(tape.input(Tensor<T>{{0, 0}, {1, -2}}), context);
  CHECK(Tensor<T>(x.value()) == Tensor<T>{{5, -1}, {7, -2}});
}

TEST_CASE("standardise: columns far from 0 keep their deviations") {
  const auto units = Standardise<double>::of_rows(Tensor<double>{{1e9 - 1}, {1e9 + 1}});
  Tape<double> tape;
  Context<double> context;
  CHECK(units->inverse(tape.input(Tensor<double>{{1e9 + 3}}), context).item() == 3);
}

TEST_CASE("standardise: numbers that float does not tell apart are refused in float") {
  // Floats next to 1e9 are 64 apart, those next to 1e5 a hundredth.
  CHECK_THROWS_WITH_AS(Standardise<float>({0, 1e9}, {1, 1}), doctest::Contains("column 2: float"),
                       std::invalid_argument);
  CHECK_NOTHROW(Standardise<float>({0, -1e5}, {1, 1}));
  CHECK_NOTHROW(Standardise<double>({0, 1e9}, {1, 1}));
}

TEST_CASE("standardise: what has no units is refused") {
  const auto refuses = [](const Tensor<double>& rows, const char* message) {
    CHECK_THROWS_WITH_AS(Standardise<double>::of_rows(rows), doctest::Contains(message),
                         std::invalid_argument);
  };
  // The mean of many 0.1 is not 0.1 in doubles.
  refuses({{1, 0.1}, {2, 0.1}, {3, 0.1}}, "column 2 is constant");
  refuses({{1, 0.1}}, "column 1 is constant");
  refuses({{1, 0}, {2, NAN}}, "column 2 has a number that is not finite");
  refuses(Tensor<double>::zeros({0, 2}), "rows are needed");
  CHECK_THROWS_WITH_AS(Standardise<double>({1, 2}, {1}), doctest::Contains("as many means"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(Standardise<double>({1}, {0}), doctest::Contains("positive"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(Standardise<double>({}, {}), doctest::Contains("got none"),
                       std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
