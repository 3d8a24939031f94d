#include "fjord/flows/permutation.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "fjord/tests/support/check_flow.hpp"
#include "fjord/tests/support/flows.hpp"
#include "fjord/tests/support/part_battery.hpp"

namespace fjord::flows {
namespace {

Tensor<double> permuted(const std::vector<Index>& order, const Tensor<double>& x) {
  const Permutation<double> permutation(order);
  Tape<double> tape;
  Context<double> context;
  return Tensor<double>(permutation.forward(tape.input(x), context).value());
}

TEST_CASE("permutation: every route, company, precision and the file agree") {
  for (const std::vector<Index>& order :
       {std::vector<Index>{2, 0, 3, 1}, reversed_order(4), random_order(4, RandomKey(3))}) {
    test::check_bijector(
        {.name = "permutation",
         .make = [&](const RandomKey&) { return std::make_unique<Permutation<double>>(order); },
         .x = test::normals({3, 4}, 1)});
  }
}

TEST_CASE("permutation: columns come from the places in the order") {
  CHECK(permuted({2, 0, 3, 1}, {{10, 11, 12, 13}}) == Tensor<double>{{12, 10, 13, 11}});
  CHECK(permuted(reversed_order(3), {{1, 2, 3}}) == Tensor<double>{{3, 2, 1}});
}

TEST_CASE("permutation: random orders differ from key to key, and have every column once") {
  std::vector<Index> order = random_order(50, RandomKey(1));
  CHECK(order != random_order(50, RandomKey(2)));
  CHECK(order == random_order(50, RandomKey(1)));
  std::sort(order.begin(), order.end());
  for (Index k = 0; k < 50; ++k) CHECK(order[static_cast<std::size_t>(k)] == k);
}

TEST_CASE("permutation: tensors in rows are transposed as by numpy") {
  // numpy 2.4.6: arange(24).reshape(2, 3, 4).transpose(2, 0, 1).ravel().
  CHECK(transposed_order({2, 3, 4}, {2, 0, 1}) ==
        std::vector<Index>{0, 4, 8,  12, 16, 20, 1, 5, 9,  13, 17, 21,
                           2, 6, 10, 14, 18, 22, 3, 7, 11, 15, 19, 23});
  CHECK(transposed_order({2, 3}, {0, 1}) == std::vector<Index>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("permutation: what is no order is refused") {
  for (const std::vector<Index>& order : {std::vector<Index>{}, std::vector<Index>{0, 0},
                                          std::vector<Index>{0, 2}, std::vector<Index>{-1, 0}}) {
    CHECK_THROWS_WITH_AS(Permutation<double>{order}, doctest::Contains("[permutation] each of"),
                         std::invalid_argument);
  }
  CHECK_THROWS_AS(random_order(0, RandomKey(0)), std::invalid_argument);
  CHECK_THROWS_AS(transposed_order({2, 3}, {0, 0}), std::invalid_argument);
  CHECK_THROWS_AS(transposed_order({2}, {0, 1}), std::invalid_argument);
  CHECK_THROWS_AS(transposed_order({2, 0}, {0, 1}), std::invalid_argument);
  CHECK_THROWS_WITH_AS(permuted({1, 0}, {{1, 2, 3}}), doctest::Contains("rows of 2 numbers"),
                       std::invalid_argument);
}

}  // namespace
}  // namespace fjord::flows
