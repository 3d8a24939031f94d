#include "fjord/ode/step.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fjord/autodiff/errors.hpp"

namespace fjord::ode {
namespace {

template <class T>
const T* numbers(const Var<T>& var) {
  return var.tape().node(var, "solve").value;
}

template <class T>
NodeShape shape_of(const Var<T>& var) {
  return var.tape().node(var, "solve").shape;
}

template <class T>
bool are_finite(const T* x, Index size) {
  return std::all_of(x, x + size, [](T v) { return std::isfinite(v); });
}

template <class T>
double largest_difference(const T* a, const T* b, Index size) {
  double largest = 0;
  for (Index i = 0; i < size; ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return largest;
}

template <class T>
double largest(const T* x, Index size) {
  double result = 0;
  for (Index i = 0; i < size; ++i) result = std::max(result, std::abs(static_cast<double>(x[i])));
  return result;
}

// Entries are looked at in blocks, in loops that compilers turn into vector instructions.
constexpr Index block = 64;

template <class T>
using Block = std::array<T, block>;

// Adds up a block, whose size is a power of two, in a tree.
template <class T>
T sum_of(Block<T> numbers) {
  for (std::size_t half = block / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) numbers[i] += numbers[i + half];
  }
  return numbers[0];
}

// The norm of numbers that arrive in blocks: ratios(at, count, out) writes those from entry `at`
// on, where count is a number or a constant.
template <class T, class Ratios>
class Norm final {
 public:
  Norm(ErrorNorm norm, const NodeShape& shape, Ratios ratios)
      : norm_(norm), size_(shape.size), ratios_(ratios) {
    if (size_ == 0) return;
    rows_ = norm == ErrorNorm::rms || shape.rank == 0 ? size_ : shape[0];
    columns_ = size_ / rows_;
  }

  double value() const {
    if (size_ == 0) return 0;
    const double root = root_of_squares(T(1));
    if (std::isfinite(root)) return root;
    // The squares overflow long before the numbers.
    const T scale = largest();
    return std::isfinite(scale) ? static_cast<double>(scale) * root_of_squares(1 / scale)
                                : static_cast<double>(scale);
  }

 private:
  double root_of_squares(T factor) const {
    double sum = 0;
    T largest_row = 0;
    for (Index first = 0; first < rows_; first += block) {
      const Index count = std::min(block, rows_ - first);
      const Block<T> rows = squares_of_rows(first, count, factor);
      sum += static_cast<double>(sum_of(rows));
      if (norm_ == ErrorNorm::largest_row)
        largest_row = std::max(largest_row, *std::max_element(rows.begin(), rows.end()));
    }
    if (!std::isfinite(sum)) return sum;
    return norm_ == ErrorNorm::largest_row
               ? std::sqrt(static_cast<double>(largest_row) / static_cast<double>(columns_))
               : std::sqrt(sum / static_cast<double>(size_));
  }

  Block<T> squares_of_rows(Index first, Index count, T factor) const {
    Block<T> squares{};
    Block<T> part{};
    for (Index column = 0; column < columns_; ++column) {
      fill(part, column * rows_ + first, count);
      for (std::size_t i = 0; i < block; ++i) {
        const T ratio = part[i] * factor;
        squares[i] += ratio * ratio;
      }
    }
    return squares;
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

  ErrorNorm norm_;
  Index size_;
  Index rows_ = 0;
  Index columns_ = 0;
  Ratios ratios_;
};

}  // namespace

template <class T>
Var<T> evaluate(const Field<T>& f, const Var<T>& t, const Var<T>& y) {
  const Var<T> slope = f(t, y);
  const NodeShape shape = y.tape().node(slope, "solve").shape;
  require(shape == y.tape().node(y, "solve").shape, "solve", [&] {
    return "the field must return the shape of its state, " + to_string(y.shape()) + ", got " +
           to_string(shape.shape());
  });
  return slope;
}

template <class T>
double error_norm(const SolveOptions& options, double h, const Stages<T>& stages, const Var<T>& y,
                  const Var<T>& y_next) {
  const std::span<const double> weights = options.method->error;
  std::array<const T*, max_stages + 2> slopes{};
  std::array<T, max_stages + 2> factors;
  std::size_t count = 0;
  for (std::size_t j = 0; j < weights.size(); ++j) {
    if (weights[j] == 0) continue;
    slopes[count] = numbers(stages[j]);
    factors[count++] = static_cast<T>(h * weights[j]);
  }
  // Three terms are added at once: those that are missing are the first, nought times.
  for (std::size_t j = count; j < count + 2; ++j) {
    slopes[j] = slopes[0];
    factors[j] = 0;
  }
  const T rtol = static_cast<T>(options.rtol);
  const T atol = static_cast<T>(options.atol);
  const T* before = numbers(y);
  const T* after = numbers(y_next);
  const auto ratios = [&](Index at, auto n, T* out) {
    for (std::size_t j = 0; j < count; j += 3) {
      const auto [u, v, w] = std::array{factors[j], factors[j + 1], factors[j + 2]};
      const auto [p, q, r] = std::array{slopes[j] + at, slopes[j + 1] + at, slopes[j + 2] + at};
      if (j == 0) {
        for (Index i = 0; i < n; ++i) out[i] = u * p[i] + v * q[i] + w * r[i];
      } else {
        for (Index i = 0; i < n; ++i) out[i] += u * p[i] + v * q[i] + w * r[i];
      }
    }
    for (Index i = 0; i < n; ++i) {
      const T a = std::abs(before[at + i]);
      const T b = std::abs(after[at + i]);
      // A comparison with NaN is false, so a NaN state is seen by a term of its own.
      out[i] = out[i] / (atol + rtol * (a > b ? a : b)) + (b - b);
    }
  };
  const NodeShape shape = shape_of(y);
  const double norm = Norm<T, decltype(ratios)>(options.norm, shape, ratios).value();
  if (std::isfinite(norm)) return norm;
  bool finite = are_finite(after, shape.size);
  for (std::size_t j = 0; j < count; ++j) finite = finite && are_finite(slopes[j], shape.size);
  return finite ? std::numeric_limits<double>::max() : norm;
}

template <class T>
double scaled_norm(const SolveOptions& options, const Var<T>& x, const Var<T>& y) {
  const T rtol = static_cast<T>(options.rtol);
  const T atol = static_cast<T>(options.atol);
  const T* over = numbers(x);
  const T* under = numbers(y);
  const auto ratios = [&](Index at, auto n, T* out) {
    for (Index i = 0; i < n; ++i) out[i] = over[at + i] / (atol + rtol * std::abs(under[at + i]));
  };
  return Norm<T, decltype(ratios)>(options.norm, shape_of(x), ratios).value();
}

template <class T>
bool is_stiff(const SolveOptions& options, double h, const Stage<T>& a, const Stage<T>& b) {
  const Index size = shape_of(a.y).size;
  const double states = largest_difference(numbers(a.y), numbers(b.y), size);
  if (states == 0) return false;
  const double eigenvalue = largest_difference(numbers(a.slope), numbers(b.slope), size) / states;
  // Explicit methods are stable for h times an eigenvalue from -3 or so on.
  if (std::abs(h) * eigenvalue < 1.5) return false;
  const double slope = largest(numbers(b.slope), size);
  const double state = largest(numbers(b.y), size);
  return slope < 0.1 * eigenvalue * state ||
         std::abs(h) * slope < 10 * (options.atol + options.rtol * state);
}

template <class T>
bool is_finite(const Var<T>& x) {
  return are_finite(numbers(x), shape_of(x).size);
}

double starting_step(double state_norm, double slope_norm, int order, double longest,
                     const std::function<double(double)>& slope_change) {
  double trial = 0.01 * state_norm / slope_norm;
  // Norms may overflow in single precision.
  if (state_norm < 1e-5 || slope_norm < 1e-5 || !(trial > 0)) trial = 1e-6;
  trial = std::min(trial, longest);
  const double curvature = slope_change(trial) / trial;
  const double steepest = std::max(slope_norm, curvature);
  const double step =
      steepest <= 1e-15 ? std::max(1e-6, trial * 1e-3) : std::pow(0.01 / steepest, 1.0 / order);
  // A trial that ran into infinities says nothing but that steps must be short.
  return std::isfinite(step) && step > 0 ? std::min(100 * trial, step) : trial;
}

double step_factor(double error, int order, double max_growth) {
  // 0.9 aims below the tolerance, so that the next step is seldom rejected; a fifth is the most it
  // shrinks.
  constexpr double safety = 0.9;
  constexpr double max_shrink = 0.2;
  if (!std::isfinite(error)) return max_shrink;
  return std::clamp(safety * std::pow(error, -1.0 / order), max_shrink, max_growth);
}

#define FJORD_INSTANTIATE(T)                                                               \
  template Var<T> evaluate(const Field<T>&, const Var<T>&, const Var<T>&);                 \
  template double error_norm(const SolveOptions&, double, const Stages<T>&, const Var<T>&, \
                             const Var<T>&);                                               \
  template double scaled_norm(const SolveOptions&, const Var<T>&, const Var<T>&);          \
  template bool is_stiff(const SolveOptions&, double, const Stage<T>&, const Stage<T>&);   \
  template bool is_finite(const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::ode
