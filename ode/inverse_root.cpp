#include "fjord/ode/inverse_root.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace fjord::ode {
namespace {

// x = 2^k c (1 + r), where c is the middle of one of some equal intervals of [1, 2): the root is
// that of 2^k times that of c, both from a table, times a polynomial of r.
constexpr std::size_t intervals = 64;
constexpr int mantissa_bits = 52;
constexpr int interval_bits = 6;
constexpr int least_exponent = -64;
constexpr std::size_t exponents = 128;
constexpr int largest_n = 20;

constexpr double middle_of(std::size_t interval) {
  return 1 + (static_cast<double>(interval) + 0.5) / static_cast<double>(intervals);
}

// By Newton's iteration from a number that is near enough.
constexpr double slow_inverse_root(double x, int n, double y) {
  for (int iteration = 0; iteration < 8; ++iteration) {
    double power = 1;
    for (int i = 0; i < n; ++i) power *= y;
    y += y * (1 - x * power) / n;
  }
  return y;
}

struct RootTable {
  std::array<double, intervals> of_middles{};
  std::array<double, exponents> of_powers{};  // of 2
  std::array<double, 7> polynomial{};         // of r, r^2, ...

  constexpr explicit RootTable(int n) {
    for (std::size_t i = 0; i < intervals; ++i)
      of_middles[i] = slow_inverse_root(middle_of(i), n, 1);
    std::array<double, largest_n> of_small_powers{1};
    const double root_of_two = slow_inverse_root(2, n, 1);
    double two_to_s = 2;
    for (std::size_t s = 1; s < static_cast<std::size_t>(n); ++s, two_to_s *= 2)
      of_small_powers[s] = slow_inverse_root(two_to_s, n, of_small_powers[s - 1] * root_of_two);
    // The root of 2^(n q + s) is 2^-q times that of 2^s.
    for (std::size_t i = 0; i < exponents; ++i) {
      int k = least_exponent + static_cast<int>(i);
      double scale = 1;
      for (; k < 0; k += n) scale *= 2;
      for (; k >= n; k -= n) scale /= 2;
      of_powers[i] = scale * of_small_powers[static_cast<std::size_t>(k)];
    }
    double coefficient = 1;
    for (std::size_t j = 0; j < polynomial.size(); ++j) {
      const auto power = static_cast<double>(j);
      coefficient *= (-1.0 / n - power) / (power + 1);
      polynomial[j] = coefficient;
    }
  }
};

constexpr auto inverse_middles = [] {
  std::array<double, intervals> result{};
  for (std::size_t i = 0; i < intervals; ++i) result[i] = 1 / middle_of(i);
  return result;
}();

template <int n>
constexpr RootTable root_table(n);

constexpr std::array tables{
    &root_table<2>,  &root_table<4>,  &root_table<6>,  &root_table<8>,  &root_table<10>,
    &root_table<12>, &root_table<14>, &root_table<16>, &root_table<18>, &root_table<largest_n>};

}  // namespace

double inverse_root(double x, int n) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  // That of 0, of a negative x and of what is not finite is out of range, too.
  const std::uint64_t exponent =
      (bits >> mantissa_bits) - static_cast<std::uint64_t>(1023 + least_exponent);
  if (exponent >= exponents || n < 2 || n > largest_n || n % 2 != 0) return std::pow(x, -1.0 / n);
  const RootTable& table = *tables[static_cast<std::size_t>(n / 2 - 1)];
  const std::size_t interval = bits >> (mantissa_bits - interval_bits) & (intervals - 1);
  constexpr std::uint64_t mantissa = (std::uint64_t(1) << mantissa_bits) - 1;
  const double m = std::bit_cast<double>((bits & mantissa) | std::bit_cast<std::uint64_t>(1.0));
  const double r = (m - middle_of(interval)) * inverse_middles[interval];
  const auto& [c1, c2, c3, c4, c5, c6, c7] = table.polynomial;
  const double r2 = r * r;
  const double sum = (c1 + c2 * r) + r2 * (c3 + c4 * r) + (r2 * r2) * ((c5 + c6 * r) + r2 * c7);
  const double scale = table.of_powers[exponent] * table.of_middles[interval];
  return scale + (scale * r) * sum;
}

}  // namespace fjord::ode
