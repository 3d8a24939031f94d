#include "fjord/autodiff/kernels/blas.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/autodiff/blas.hpp"
#include "fjord/autodiff/random.hpp"

namespace fjord {

using namespace kernels;

namespace {

struct Sizes {
  Index m;
  Index n;
  Index k;
};

// What `c` starts from.
enum class From { zero, present, columns };

// A guard behind the numbers, so that a product that writes too far is seen.
constexpr std::size_t guard = 64;

// Whole numbers in [-8, 8]: sums of a thousand products are exact in either precision.
template <class T>
std::vector<T> whole_numbers(Index count, std::uint64_t seed) {
  std::vector<T> result(static_cast<std::size_t>(count) + guard);
  RandomKey(seed).uniform(std::span<T>(result));
  for (T& number : result) number = std::floor(number * 17) - 8;
  return result;
}

template <class T>
std::vector<T> normal_numbers(Index count, std::uint64_t seed) {
  std::vector<T> result(static_cast<std::size_t>(count) + guard);
  RandomKey(seed).normal(std::span<T>(result));
  return result;
}

template <class T>
struct Problem {
  Sizes s;
  bool ta;
  bool tb;
  std::vector<T> a;
  std::vector<T> b;
  std::vector<T> start;
  std::vector<T> columns;

  Index a_rows() const { return ta ? s.k : s.m; }

  Index b_rows() const { return tb ? s.n : s.k; }

  T left(Index i, Index p) const {
    return a[static_cast<std::size_t>(ta ? p + i * a_rows() : i + p * a_rows())];
  }

  T right(Index p, Index j) const {
    return b[static_cast<std::size_t>(tb ? j + p * b_rows() : p + j * b_rows())];
  }

  std::vector<T> product(From from) const {
    std::vector<T> c = start;
    // What c holds before must not matter unless it is added to.
    if (from != From::present)
      std::fill_n(c.begin(), s.m * s.n, std::numeric_limits<T>::quiet_NaN());
    const MatrixOperand<T> in_a{a.data(), a_rows(), ta};
    const MatrixOperand<T> in_b{b.data(), b_rows(), tb};
    if (from == From::columns) {
      multiply({s.m, s.n, s.k}, in_a, in_b, c.data(), columns.data());
    } else {
      multiply({s.m, s.n, s.k}, in_a, in_b, c.data(),
               from == From::present ? Start::present : Start::zero);
    }
    return c;
  }

  T first(From from, Index i, Index j) const {
    if (from == From::present) return start[static_cast<std::size_t>(i + j * s.m)];
    return from == From::columns ? columns[static_cast<std::size_t>(j)] : T(0);
  }

  // The product by a double loop, in the precision of Sum.
  template <class Sum>
  Sum entry(From from, Index i, Index j) const {
    Sum sum = first(from, i, j);
    for (Index p = 0; p < s.k; ++p) sum += static_cast<Sum>(left(i, p)) * right(p, j);
    return sum;
  }
};

template <class T, class Numbers>
Problem<T> make_problem(const Sizes& s, bool ta, bool tb, Numbers numbers) {
  return {s,
          ta,
          tb,
          numbers(s.m * s.k, 1),
          numbers(s.k * s.n, 2),
          numbers(s.m * s.n, 3),
          numbers(s.n, 4)};
}

// Every transpose and every start, exactly.
template <class T>
void check_exact(const Sizes& s) {
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      const Problem<T> problem = make_problem<T>(s, ta, tb, whole_numbers<T>);
      std::vector<T> products(problem.start.size(), T(0));
      for (Index j = 0; j < s.n; ++j) {
        for (Index i = 0; i < s.m; ++i) {
          products[static_cast<std::size_t>(i + j * s.m)] =
              problem.template entry<T>(From::zero, i, j);
        }
      }
      for (const From from : {From::zero, From::present, From::columns}) {
        const std::vector<T> got = problem.product(from);
        std::vector<T> expected = problem.start;
        for (Index j = 0; j < s.n; ++j) {
          for (Index i = 0; i < s.m; ++i) {
            const auto at = static_cast<std::size_t>(i + j * s.m);
            expected[at] = products[at] + problem.first(from, i, j);
          }
        }
        if (got != expected) {
          FAIL_CHECK(s.m << " x " << s.k << " times " << s.k << " x " << s.n << ", transposed "
                         << ta << tb << ", from " << static_cast<int>(from));
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("blas: small products of every shape are those of a double loop", T, float,
                   double) {
  for (Index m = 1; m <= 20; ++m) {
    for (Index n = 1; n <= 20; ++n) {
      for (Index k = 1; k <= 20; ++k) check_exact<T>({m, n, k});
    }
  }
}

TEST_CASE_TEMPLATE("blas: products at the edges of the narrow kernels are right", T, float,
                   double) {
  for (const Index length : {15, 16, 17, 23, 31, 32, 33, 63, 64, 65, 100, 127, 257}) {
    for (const Index narrow : {1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17}) {
      check_exact<T>({length, narrow, 8});
      check_exact<T>({length, 8, narrow});
      check_exact<T>({8, narrow, length});
      check_exact<T>({narrow, 8, length});
      check_exact<T>({narrow, length, 3});
    }
  }
}

TEST_CASE_TEMPLATE("blas: sums over many rows are right with few rows or columns", T, float,
                   double) {
  for (const Sizes& s : std::vector<Sizes>{{250, 11, 600},
                                           {11, 250, 512},
                                           {33, 3, 257},
                                           {1, 40, 300},
                                           {64, 16, 255},
                                           {16, 17, 1000}})
    check_exact<T>(s);
}

// -0 marks an entry of a derivative on which nothing depends.
template <class T>
void check_no_negative_zero(const Sizes& s) {
  const auto tiny = [](Index count, std::uint64_t seed) {
    const T size = std::numeric_limits<T>::min();
    return std::vector<T>(static_cast<std::size_t>(count) + guard, seed == 1 ? -size : size);
  };
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      const std::vector<T> got = make_problem<T>(s, ta, tb, tiny).product(From::zero);
      CHECK_MESSAGE(std::all_of(got.begin(), got.begin() + s.m * s.n,
                                [](T x) { return x == 0 && !std::signbit(x); }),
                    s.m, " x ", s.k, " times ", s.k, " x ", s.n, ", transposed ", ta, tb);
    }
  }
}

TEST_CASE_TEMPLATE("blas: no sum that underflows is -0", T, float, double) {
  for (const Index m : {1, 3, 16, 37, 64}) {
    for (const Index n : {1, 3, 8, 17, 64}) {
      for (const Index k : {1, 2, 8, 15, 40, 300}) check_no_negative_zero<T>({m, n, k});
    }
  }
}

TEST_CASE_TEMPLATE("blas: a product with a size of 0 sums nothing", T, float, double) {
  for (const Index m : {0, 1, 5, 16, 40}) {
    for (const Index n : {0, 1, 8, 20}) {
      for (const Index k : {0, 1, 16, 40}) {
        if (m * n * k == 0) check_exact<T>({m, n, k});
      }
    }
  }
}

TEST_CASE_TEMPLATE("blas: products keep the digits of their precision", T, float, double) {
  for (const Sizes& s : std::vector<Sizes>{
           {64, 8, 8}, {256, 16, 16}, {8, 8, 1000}, {3, 5, 257}, {65, 70, 90}, {129, 31, 40}}) {
    for (const bool ta : {false, true}) {
      for (const From from : {From::zero, From::present, From::columns}) {
        const Problem<T> problem = make_problem<T>(s, ta, false, normal_numbers<T>);
        const std::vector<T> got = problem.product(from);
        double worst = 0;
        for (Index j = 0; j < s.n; ++j) {
          for (Index i = 0; i < s.m; ++i) {
            double size = std::abs(static_cast<double>(problem.first(from, i, j)));
            for (Index p = 0; p < s.k; ++p) {
              size += std::abs(static_cast<double>(problem.left(i, p)) * problem.right(p, j));
            }
            const long double error = got[static_cast<std::size_t>(i + j * s.m)] -
                                      problem.template entry<long double>(from, i, j);
            worst = std::max(worst, static_cast<double>(std::abs(error)) / size);
          }
        }
        CAPTURE(s.m);
        CAPTURE(s.n);
        CAPTURE(s.k);
        // k roundings in any order, each of half a unit, err by this only if all go one way.
        CHECK(worst < 0.5 * static_cast<double>(s.k) *
                          static_cast<double>(std::numeric_limits<T>::epsilon()));
      }
    }
  }
}

TEST_CASE_TEMPLATE("blas: NaN and infinity in one row stay in that row", T, float, double) {
  for (const Index m : {17, 64, 300}) {
    auto a = normal_numbers<T>(m * 8, 1);
    const auto b = normal_numbers<T>(8 * 8, 2);
    a[static_cast<std::size_t>(m - 2)] = std::numeric_limits<T>::quiet_NaN();
    a[static_cast<std::size_t>(m + 3)] = std::numeric_limits<T>::infinity();
    std::vector<T> c(static_cast<std::size_t>(m * 8));
    multiply<T>({m, 8, 8}, {a.data(), m}, {b.data(), 8}, c.data(), Start::zero);
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
  const auto b = normal_numbers<T>(8 * 8, 2);
  const auto whole = normal_numbers<T>(64 * 8, 1);
  std::vector<T> expected(64 * 8);
  multiply<T>({64, 8, 8}, {whole.data(), 64}, {b.data(), 8, true}, expected.data(), Start::zero);
  for (const Index m : {16, 17, 24, 31, 40, 63}) {
    std::vector<T> rows(static_cast<std::size_t>(m * 8));
    std::vector<T> c(static_cast<std::size_t>(m * 8));
    for (Index p = 0; p < 8; ++p) std::copy_n(whole.begin() + p * 64, m, rows.begin() + p * m);
    multiply<T>({m, 8, 8}, {rows.data(), m}, {b.data(), 8, true}, c.data(), Start::zero);
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
