/// Operations on registers that do not depend on how wide they are.
#include "fjord/autodiff/kernels/simd.hpp"

#include <vector>

#include <doctest/doctest.h>

namespace fjord::kernels::simd {
namespace {

TEST_CASE_TEMPLATE("simd: sums of registers, in their order", T, float, double) {
  constexpr auto lanes = static_cast<std::size_t>(width<T>);
  std::vector<Batch<T>> registers;
  std::vector<T> expected;
  for (std::size_t i = 0; i < lanes; ++i) {
    // Whole numbers, whose sums are exact.
    std::vector<T> numbers;
    T sum = 0;
    for (std::size_t k = 0; k < lanes; ++k) {
      numbers.push_back(static_cast<T>((i + 1) * (k + 3)));
      sum += numbers.back();
    }
    registers.push_back(Batch<T>::load_unaligned(numbers.data()));
    expected.push_back(sum);
  }
  std::vector<T> found(lanes);
  sums<T>(registers.data()).store_unaligned(found.data());
  CHECK(found == expected);
}

}  // namespace
}  // namespace fjord::kernels::simd
