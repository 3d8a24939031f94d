#include "fjord/autodiff/blas.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/autodiff/random.hpp"

namespace fjord {
namespace {

struct Sizes {
  Index m;
  Index n;
  Index k;
};

// What `c` starts from.
enum class From { zero, present, columns };

// Numbers with a guard behind them, so that a product that writes too far is seen.
constexpr std::size_t guard = 64;

template <class T>
std::vector<T> numbers(Index count, std::uint64_t seed) {
  std::vector<T> result(static_cast<std::size_t>(count) + guard);
  Random(seed).normal(std::span<T>(result));
  return result;
}

template <class T>
double entry(const std::vector<T>& matrix, Index rows, bool transposed, Index i, Index j) {
  return static_cast<double>(
      matrix[static_cast<std::size_t>(transposed ? j + i * rows : i + j * rows)]);
}

// Largest |error| / (|a| |b| + |start|), entry by entry, of one product against a double loop in
// long double; infinite if memory behind c changed.
template <class T>
double worst_error(const Sizes& s, bool ta, bool tb, From from) {
  const auto a = numbers<T>(s.m * s.k, 1);
  const auto b = numbers<T>(s.k * s.n, 2);
  const auto start = numbers<T>(s.m * s.n, 3);
  const auto columns = numbers<T>(s.n, 4);
  const Index a_rows = ta ? s.k : s.m;
  const Index b_rows = tb ? s.n : s.k;
  std::vector<T> c = start;
  // What c holds before must not matter unless it is added to.
  if (from != From::present) std::fill_n(c.begin(), s.m * s.n, std::numeric_limits<T>::quiet_NaN());
  const MatrixOperand<T> left{a.data(), a_rows, ta};
  const MatrixOperand<T> right{b.data(), b_rows, tb};
  if (from == From::columns) {
    multiply(s.m, s.n, s.k, left, right, c.data(), columns.data());
  } else {
    multiply(s.m, s.n, s.k, left, right, c.data(),
             from == From::present ? Start::present : Start::zero);
  }
  double worst = 0;
  for (Index j = 0; j < s.n; ++j) {
    for (Index i = 0; i < s.m; ++i) {
      const auto at = static_cast<std::size_t>(i + j * s.m);
      const T first = from == From::present   ? start[at]
                      : from == From::columns ? columns[static_cast<std::size_t>(j)]
                                              : T(0);
      long double sum = static_cast<long double>(first);
      double size = std::abs(static_cast<double>(first)) + 1e-30;
      for (Index p = 0; p < s.k; ++p) {
        const double x = entry(a, a_rows, ta, i, p);
        const double y = entry(b, b_rows, tb, p, j);
        sum += static_cast<long double>(x) * y;
        size += std::abs(x * y);
      }
      const double error =
          static_cast<double>(std::abs(static_cast<long double>(c[at]) - sum)) / size;
      // Written so that NaN counts.
      if (!(error <= worst)) worst = std::isfinite(error) ? error : INFINITY;
    }
  }
  for (std::size_t i = static_cast<std::size_t>(s.m * s.n); i < c.size(); ++i) {
    if (c[i] != start[i]) return INFINITY;
  }
  return worst;
}

template <class T>
void check_product(const Sizes& s) {
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      for (const From from : {From::zero, From::present, From::columns}) {
        CAPTURE(s.m);
        CAPTURE(s.n);
        CAPTURE(s.k);
        CAPTURE(ta);
        CAPTURE(tb);
        CAPTURE(from);
        // A sum of k products in any order is off by at most k + 1 roundings of its terms' sizes.
        const double bound =
            static_cast<double>(s.k + 1) * static_cast<double>(std::numeric_limits<T>::epsilon());
        REQUIRE(worst_error<T>(s, ta, tb, from) <= bound);
      }
    }
  }
}

TEST_CASE_TEMPLATE("blas: small products of every shape are those of a double loop", T, float,
                   double) {
  for (Index m = 1; m <= 20; ++m) {
    for (Index n = 1; n <= 20; ++n) {
      for (Index k = 1; k <= 20; ++k) check_product<T>({m, n, k});
    }
  }
}

TEST_CASE_TEMPLATE("blas: products at the edges of the narrow kernels are right", T, float,
                   double) {
  for (const Index length : {15, 16, 17, 23, 31, 32, 33, 63, 64, 65, 100, 127, 257, 1000}) {
    for (const Index narrow : {1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17}) {
      check_product<T>({length, narrow, 8});
      check_product<T>({length, 8, narrow});
      check_product<T>({8, narrow, length});
      check_product<T>({narrow, 8, length});
      check_product<T>({narrow, length, 3});
    }
  }
  check_product<T>({64, 70, 90});
  check_product<T>({129, 31, 40});
}

TEST_CASE_TEMPLATE("blas: a product with a size of 0 sums nothing", T, float, double) {
  for (const Index m : {0, 1, 5, 16, 40}) {
    for (const Index n : {0, 1, 8, 20}) {
      for (const Index k : {0, 1, 16, 40}) {
        if (m * n * k == 0) check_product<T>({m, n, k});
      }
    }
  }
}

TEST_CASE_TEMPLATE("blas: NaN and infinity in one row stay in that row", T, float, double) {
  for (const Index m : {17, 64, 300}) {
    auto a = numbers<T>(m * 8, 1);
    const auto b = numbers<T>(8 * 8, 2);
    a[static_cast<std::size_t>(m - 2)] = std::numeric_limits<T>::quiet_NaN();
    a[static_cast<std::size_t>(m + 3)] = std::numeric_limits<T>::infinity();
    std::vector<T> c(static_cast<std::size_t>(m * 8));
    multiply<T>(m, 8, 8, {a.data(), m}, {b.data(), 8}, c.data(), Start::zero);
    for (Index j = 0; j < 8; ++j) {
      for (Index i = 0; i < m; ++i) {
        const T entry = c[static_cast<std::size_t>(i + j * m)];
        CHECK(std::isnan(entry) == (i == m - 2));
        CHECK(std::isinf(entry) == (i == 3));
      }
    }
  }
}

TEST_CASE_TEMPLATE("blas: a row has the same bits whatever rows stand beside it", T, float,
                   double) {
  // What shards need: the rows of a batch may be cut anywhere.
  const auto b = numbers<T>(8 * 8, 2);
  const auto whole = numbers<T>(64 * 8, 1);
  std::vector<T> expected(64 * 8);
  multiply<T>(64, 8, 8, {whole.data(), 64}, {b.data(), 8, true}, expected.data(), Start::zero);
  for (const Index m : {16, 17, 24, 31, 40, 63}) {
    std::vector<T> rows(static_cast<std::size_t>(m * 8));
    std::vector<T> c(static_cast<std::size_t>(m * 8));
    for (Index p = 0; p < 8; ++p) std::copy_n(whole.begin() + p * 64, m, rows.begin() + p * m);
    multiply<T>(m, 8, 8, {rows.data(), m}, {b.data(), 8, true}, c.data(), Start::zero);
    for (Index j = 0; j < 8; ++j) {
      for (Index i = 0; i < m; ++i) {
        REQUIRE(c[static_cast<std::size_t>(i + j * m)] ==
                expected[static_cast<std::size_t>(i + j * 64)]);
      }
    }
  }
}

TEST_CASE("blas: the report names the library, one thread, and kernels to ask for if any") {
  const BlasReport report = blas_report();
  CHECK(report.library.substr(0, 9) == "OpenBLAS ");
  CHECK(report.library.find_first_of("0123456789") != std::string::npos);
  CHECK(!report.core.empty());
  CHECK(report.threads == 1);
  const bool known =
      report.processor == "AVX-512" || report.processor == "AVX2" || report.processor == "SSE2";
  CHECK(known);
  CHECK((report.better_core.empty() || report.better_core != report.core));
  if (report.processor == "SSE2") CHECK(report.better_core.empty());
}

}  // namespace
}  // namespace fjord
