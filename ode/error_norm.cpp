#include "fjord/ode/error_norm.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include "fjord/ode/few.hpp"
#include "fjord/ode/method.hpp"

namespace fjord::ode {
namespace {

template <class T>
bool are_finite(const T* x, Index size) {
  return std::all_of(x, x + size, [](T v) { return std::isfinite(v); });
}

// Entries are looked at in blocks, in loops that compilers turn into vector instructions.
constexpr Index block = 64;

template <class T>
using Block = std::array<T, block>;

// Joins all numbers of a block, whose size is a power of two, in a tree.
template <class T, class Join>
T joined(Block<T> numbers, Join join) {
  for (std::size_t half = block / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) numbers[i] = join(numbers[i], numbers[i + half]);
  }
  return numbers[0];
}

template <class T>
T sum_of(const Block<T>& numbers) {
  return joined(numbers, std::plus<T>());
}

// NaN if one is.
template <class T>
T larger_of(T a, T b) {
  return a < b || b != b ? b : a;
}

template <class T>
T largest_of(const Block<T>& numbers) {
  return joined(numbers, larger_of<T>);
}

// The norm of numbers that arrive in blocks: ratios(at, count, out) writes those from entry `at`
// on, where count is a number or a constant.
template <class T, class Ratios>
class Norm final {
 public:
  Norm(const SolveOptions& options, Index size, Index rows, Ratios ratios)
      : options_(options), size_(size), rows_(rows), ratios_(ratios) {}

  double value() const {
    if (size_ == 0) return 0;
    if (options_.custom_norm) return custom();
    if (options_.norm == ErrorNorm::maximum) return static_cast<double>(largest());
    const double root = root_of_squares(T(1));
    if (std::isfinite(root)) return root;
    // The squares overflow long before the numbers.
    const T scale = largest();
    return std::isfinite(scale) ? static_cast<double>(scale) * root_of_squares(1 / scale)
                                : static_cast<double>(scale);
  }

 private:
  double root_of_squares(T factor) const {
    if (options_.norm == ErrorNorm::largest_row) return root_of_largest_row(factor);
    // So many blocks at once that the digits of T suffice for their sum.
    constexpr Index piece = 16 * block;
    double sum = 0;
    for (Index first = 0; first < size_; first += piece) {
      Block<T> squares{};
      for (Index at = first; at < std::min(first + piece, size_); at += block)
        add_squares(at, std::min(block, size_ - at), factor, squares);
      sum += static_cast<double>(sum_of(squares));
    }
    return std::sqrt(sum / static_cast<double>(size_));
  }

  double root_of_largest_row(T factor) const {
    T largest = 0;
    for (Index first = 0; first < rows_; first += block) {
      const Index count = std::min(block, rows_ - first);
      Block<T> squares{};
      for (Index at = first; at < size_; at += rows_) add_squares(at, count, factor, squares);
      largest = larger_of(largest, largest_of(squares));
    }
    const Index columns = size_ / rows_;
    return std::sqrt(static_cast<double>(largest) / static_cast<double>(columns));
  }

  void add_squares(Index at, Index count, T factor, Block<T>& squares) const {
    Block<T> part;
    if (count < block) part = {};
    fill(part, at, count);
    for (std::size_t i = 0; i < block; ++i) {
      const T ratio = part[i] * factor;
      squares[i] += ratio * ratio;
    }
  }

  // Whole blocks with their size as a constant, which makes shorter code of the loops.
  void fill(Block<T>& part, Index at, Index count) const {
    if (count == block) {
      ratios_(at, std::integral_constant<Index, block>(), part.data());
    } else {
      ratios_(at, count, part.data());
    }
  }

  // NaN if one is.
  T largest() const {
    T largest = 0;
    Block<T> part{};
    for (Index at = 0; at < size_; at += block) {
      const Index count = std::min(block, size_ - at);
      fill(part, at, count);
      for (Index i = 0; i < count; ++i) {
        const T ratio = std::abs(part[static_cast<std::size_t>(i)]);
        if (!(ratio <= largest)) largest = ratio;
        if (std::isnan(ratio)) return ratio;
      }
    }
    return largest;
  }

  double custom() const {
    std::vector<double> all(static_cast<std::size_t>(size_));
    Block<T> part{};
    for (Index at = 0; at < size_; at += block) {
      const Index count = std::min(block, size_ - at);
      fill(part, at, count);
      std::copy_n(part.begin(), count, all.begin() + at);
    }
    return options_.custom_norm(all);
  }

  const SolveOptions& options_;
  Index size_;
  Index rows_;
  Ratios ratios_;
};

// Calls ratios(allowed), where allowed(i, size) is the error allowed in entry i of that size.
template <class T, class Function>
double with_tolerances(const SolveOptions& options, Function function) {
  const T rtol = static_cast<T>(options.rtol);
  const T atol = static_cast<T>(options.atol);
  const std::vector<double>& rtols = options.rtol_of_entries;
  const std::vector<double>& atols = options.atol_of_entries;
  if (rtols.empty() && atols.empty())
    return function([=](Index, T size) { return atol + rtol * size; });
  return function([&, rtol, atol](Index i, T size) {
    const auto k = static_cast<std::size_t>(i);
    return (atols.empty() ? atol : static_cast<T>(atols[k])) +
           (rtols.empty() ? rtol : static_cast<T>(rtols[k])) * size;
  });
}

// A weighted sum of vectors.
template <class T>
struct Terms {
  std::array<const T*, max_stages + 2> vectors{};
  std::array<T, max_stages + 2> factors{};
  std::size_t count = 0;
};

// Entries of the sum from number `at` on, three terms at once; n is a number or a constant.
template <class T, class N>
void sum_block(const Terms<T>& terms, Index at, N n, T* out) {
  for (std::size_t j = 0; j < terms.count; j += 3) {
    const T* const factors = terms.factors.data() + j;
    const T* const p = terms.vectors[j] + at;
    const T* const q = terms.vectors[j + 1] + at;
    const T* const r = terms.vectors[j + 2] + at;
    const auto [u, v, w] = std::array{factors[0], factors[1], factors[2]};
    if (j == 0) {
      for (Index i = 0; i < n; ++i) out[i] = u * p[i] + v * q[i] + w * r[i];
    } else {
      for (Index i = 0; i < n; ++i) out[i] += u * p[i] + v * q[i] + w * r[i];
    }
  }
}

// Without blocks, which cost more than so few numbers.
template <std::size_t n, class T>
double mean_square_of_few(const SolveOptions& options, const Combination<T>& error, const T* y,
                          const T* y_next) {
  static constexpr std::array<T, n> zeros{};
  const std::array<T, n> sums = sum_of_few<n, T>(zeros.data(), error.h, error.weights.data(),
                                                 error.vectors.data(), error.weights.size());
  return with_tolerances<T>(options, [&](auto allowed) {
    double squares = 0;
    for_few<n>([&](std::size_t i) {
      const T after = std::abs(y_next[i]);
      const T size = std::max(std::abs(y[i]), after);
      // The state is known before the last slope: a product need not wait for the quotient.
      const auto ratio = static_cast<double>(sums[i] * (1 / allowed(static_cast<Index>(i), size)));
      // A comparison with NaN is false, so a NaN state is seen by a term of its own.
      squares += ratio * ratio + static_cast<double>(after - after);
    });
    return squares * (1.0 / n);
  });
}

template <class T>
constexpr std::array mean_square_by_size{&mean_square_of_few<1, T>, &mean_square_of_few<2, T>,
                                         &mean_square_of_few<3, T>, &mean_square_of_few<4, T>,
                                         &mean_square_of_few<5, T>, &mean_square_of_few<6, T>,
                                         &mean_square_of_few<7, T>, &mean_square_of_few<8, T>};

template <class T>
double squared_norm_of_many(const SolveOptions& options, const Combination<T>& error,
                            const Entries<T>& y, const T* y_next) {
  Terms<T> terms;
  auto& [vectors, factors, count] = terms;
  for (std::size_t j = 0; j < error.weights.size(); ++j) {
    if (error.weights[j] == 0) continue;
    vectors[count] = error.vectors[j];
    factors[count++] = static_cast<T>(error.h * error.weights[j]);
  }
  // Three terms are added at once: those that are missing are the first, nought times.
  for (std::size_t j = count; j < count + 2; ++j) {
    vectors[j] = vectors[0];
    factors[j] = 0;
  }
  const T* before = y.data;
  const double norm = with_tolerances<T>(options, [&](auto allowed) {
    const auto ratios = [&](Index at, auto n, T* out) {
      sum_block(terms, at, n, out);
      for (Index i = 0; i < n; ++i) {
        const T a = std::abs(before[at + i]);
        const T b = std::abs(y_next[at + i]);
        // A comparison with NaN is false, so a NaN state is seen by a term of its own.
        out[i] = out[i] / allowed(at + i, a > b ? a : b) + (b - b);
      }
    };
    return Norm<T, decltype(ratios)>(options, y.size, y.rows, ratios).value();
  });
  // A custom norm may not look at every entry.
  const double square = norm * norm;
  if (std::isfinite(square) && !options.custom_norm) return square;
  bool finite = are_finite(y_next, y.size);
  for (std::size_t j = 0; j < count; ++j) finite = finite && are_finite(vectors[j], y.size);
  if (!finite) return std::numeric_limits<double>::quiet_NaN();
  return std::isfinite(square) ? square : std::numeric_limits<double>::max();
}

}  // namespace

template <class T>
double squared_error_norm(const SolveOptions& options, const Combination<T>& error,
                          const Entries<T>& y, const T* y_next) {
  const auto size = static_cast<std::size_t>(y.size);
  if (size > 0 && size <= few && options.norm == ErrorNorm::rms && !options.custom_norm) {
    const double square = mean_square_by_size<T>[size - 1](options, error, y.data, y_next);
    if (std::isfinite(square)) return square;
  }
  return squared_norm_of_many(options, error, y, y_next);
}

template <class T>
double scaled_norm(const SolveOptions& options, const T* x, const Entries<T>& y) {
  return with_tolerances<T>(options, [&](auto allowed) {
    const auto ratios = [&](Index at, auto n, T* out) {
      for (Index i = 0; i < n; ++i) out[i] = x[at + i] / allowed(at + i, std::abs(y.data[at + i]));
    };
    return Norm<T, decltype(ratios)>(options, y.size, y.rows, ratios).value();
  });
}

template <class T>
bool is_finite(const Entries<T>& x) {
  return are_finite(x.data, x.size);
}

#define FJORD_INSTANTIATE(T)                                                     \
  template double squared_error_norm(const SolveOptions&, const Combination<T>&, \
                                     const Entries<T>&, const T*);               \
  template double scaled_norm(const SolveOptions&, const T*, const Entries<T>&); \
  template bool is_finite(const Entries<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::ode
