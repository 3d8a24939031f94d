#include "fjord/autodiff/ops/matrix_function.hpp"

#include <limits>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/rules/factored.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

// Numerator coefficients of the diagonal Pade approximants of exp, and the norm up to which they
// give it, and its derivative, to working precision.
template <class T>
struct Pade;

template <>
struct Pade<double> {
  static constexpr std::array<double, 14> numbers{64764752532480000.0,
                                                  32382376266240000.0,
                                                  7771770303897600.0,
                                                  1187353796428800.0,
                                                  129060195264000.0,
                                                  10559470521600.0,
                                                  670442572800.0,
                                                  33522128640.0,
                                                  1323241920.0,
                                                  40840800.0,
                                                  960960.0,
                                                  16380.0,
                                                  182.0,
                                                  1.0};
  static constexpr double largest_norm = 4.74;  // for the value alone it would be 5.37
};

template <>
struct Pade<float> {
  static constexpr std::array<float, 8> numbers{17297280.0F, 8648640.0F, 1995840.0F, 277200.0F,
                                                25200.0F,    1512.0F,    56.0F,      1.0F};
  static constexpr float largest_norm = 3;  // for the value alone it would be 3.93
};

// The 1-norm of every matrix, or of 1 + it; NaN if an entry is.
template <class T>
std::vector<T> norms(const Var<T>& a, T added_diagonal = 0) {
  const Node<T> node = a.tape().node(a.index());
  const auto [count, n, columns] = matrices_of(node.shape);
  std::vector<T> result(static_cast<std::size_t>(count), T(0));
  for (Index j = 0; j < columns; ++j) {
    for (Index k = 0; k < count; ++k) {
      T column = 0;
      for (Index i = 0; i < n; ++i) {
        column += std::abs(node.value[k + count * (i + n * j)] + (i == j ? added_diagonal : T(0)));
      }
      T& largest = result[static_cast<std::size_t>(k)];
      if (!(column <= largest)) largest = column;
    }
  }
  return result;
}

// p(A) = even + A odd; the approximant is p(A) / p(-A).
template <class T>
struct Polynomial {
  Var<T> even;
  Var<T> odd;
};

template <class T>
Polynomial<T> numerator(const Var<T>& a) {
  constexpr auto& b = Pade<T>::numbers;
  const Var<T> one = identity_like(a);
  const Var<T> a2 = matrix_product(a, a);
  const Var<T> a4 = matrix_product(a2, a2);
  const Var<T> a6 = matrix_product(a2, a4);
  Var<T> even = a6 * b[6] + a4 * b[4] + a2 * b[2] + one * b[0];
  Var<T> odd = a6 * b[7] + a4 * b[5] + a2 * b[3] + one * b[1];
  if constexpr (b.size() == 14) {
    even = even + matrix_product(a6, a6 * b[12] + a4 * b[10] + a2 * b[8]);
    odd = odd + matrix_product(a6, a6 * b[13] + a4 * b[11] + a2 * b[9]);
  }
  return {even, matrix_product(a, odd)};
}

// The squarings of a batch of approximants exp(A / 2^s), with a number s of each matrix.
//
// Where an eigenvalue of A is small compared with |A|, those of exp(A / 2^s) are so close to 1 that
// squares of it lose 2^s of their digits. Its difference from 1 loses none: D -> D^2 + 2 D. Where
// everything decays, on the other hand, the difference is close to -1 and forgets how small the
// rest is. So each matrix starts as the difference and turns to the exponential once that is below
// 1/2.
template <class T>
class Squarings final {
 public:
  explicit Squarings(const Var<T>& a) : tape_(a.tape()), like_(a) {
    for (const T norm : norms(a)) {
      const bool is_large = std::isfinite(norm) && norm > Pade<T>::largest_norm;
      left_.push_back(
          is_large ? static_cast<int>(std::ceil(std::log2(norm / Pade<T>::largest_norm))) : 0);
      is_difference_.push_back(is_large);
    }
  }

  // A / 2^s.
  Var<T> scaled(const Var<T>& a) const {
    if (most() == 0) return a;
    return a * constants([&](std::size_t k) { return std::ldexp(T(1), -left_[k]); });
  }

  // From p(A / 2^s), to s squarings of p(A / 2^s) / p(-A / 2^s).
  Var<T> squared(const Polynomial<T>& p) {
    const Var<T> divisor = factored(p.even - p.odd, "matrix_exp", Singular::allowed);
    Var<T> x = solve_factored(divisor, right_side(p));
    if (turn(x)) x = solve_factored(divisor, right_side(p));
    while (most() > 0) {
      x = squared_once(x);
      const std::vector<bool> before = is_difference_;
      if (turn(x))
        x = x + identity_like(x) *
                    flags([&](std::size_t k) { return before[k] && !is_difference_[k]; });
    }
    return any_difference()
               ? x + identity_like(x) * flags([&](std::size_t k) { return is_difference_[k]; })
               : x;
  }

 private:
  int most() const { return left_.empty() ? 0 : *std::max_element(left_.begin(), left_.end()); }

  bool any_difference() const {
    return std::find(is_difference_.begin(), is_difference_.end(), true) != is_difference_.end();
  }

  // One number for each matrix.
  template <class Number>
  Var<T> constants(Number number) const {
    Tensor<T> numbers = Tensor<T>::zeros(batch_shape(tape_.node(like_.index()).shape, 1, 1));
    for (std::size_t k = 0; k < left_.size(); ++k) numbers.storage()[k] = number(k);
    return tape_.input(numbers);
  }

  template <class Is>
  Var<T> flags(Is is) const {
    return constants([&](std::size_t k) { return is(k) ? T(1) : T(0); });
  }

  // 2 odd or even + odd.
  Var<T> right_side(const Polynomial<T>& p) const {
    if (!any_difference()) return p.even + p.odd;
    const Var<T> kind = flags([&](std::size_t k) { return is_difference_[k]; });
    return where(kind, p.odd, p.even) + p.odd;
  }

  // Notes which differences are no longer to be kept; whether there are some.
  bool turn(const Var<T>& x) {
    if (!any_difference()) return false;
    const std::vector<T> sizes = norms(x, T(1));
    bool found = false;
    for (std::size_t k = 0; k < sizes.size(); ++k) {
      if (!is_difference_[k] || !(sizes[k] < T(0.5))) continue;
      is_difference_[k] = false;
      found = true;
    }
    return found;
  }

  // Matrices that are done stay as they are, and are not squared, so that nothing overflows.
  Var<T> squared_once(const Var<T>& x) {
    const bool all = std::find(left_.begin(), left_.end(), 0) == left_.end();
    const Var<T> active = all ? Var<T>() : flags([&](std::size_t k) { return left_[k] > 0; });
    const Var<T> y = all ? x : where(active, x, tape_.scalar(T(0)));
    Var<T> next = matrix_product(y, y);
    if (any_difference()) {
      next = next + y * constants([&](std::size_t k) { return is_difference_[k] ? T(2) : T(0); });
    }
    for (int& left : left_) left = std::max(0, left - 1);
    return all ? next : where(active, next, x);
  }

  Tape<T>& tape_;
  Var<T> like_;
  std::vector<int> left_;  // of each matrix
  std::vector<bool> is_difference_;
};

}  // namespace

template <class T>
Var<T> matrix_exp(const Var<T>& a) {
  square_matrices(a, "matrix_exp");
  Squarings<T> squarings(a);
  return squarings.squared(numerator(squarings.scaled(a)));
}

template <class T>
Var<T> matrix_power(const Var<T>& a, int exponent) {
  square_matrices(a, "matrix_power");
  if (exponent == 0) return identity_like(a);
  Var<T> square = a;
  if (exponent < 0) square = solve_factored(factored(a, "matrix_power"), identity_like(a));
  Var<T> result;
  // No int overflows: -2^31 has this many bits, too.
  for (unsigned left = exponent < 0 ? 0U - static_cast<unsigned>(exponent)
                                    : static_cast<unsigned>(exponent);
       ; square = matrix_product(square, square)) {
    if (left % 2 == 1) result = result.is_empty() ? square : matrix_product(result, square);
    left /= 2;
    if (left == 0) return result;
  }
}

#define FJORD_INSTANTIATE(T)                 \
  template Var<T> matrix_exp(const Var<T>&); \
  template Var<T> matrix_power(const Var<T>&, int);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
