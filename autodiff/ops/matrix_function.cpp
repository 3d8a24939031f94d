#include "fjord/autodiff/ops/matrix_function.hpp"

#include <limits>

#include "fjord/autodiff/ops/elementwise.hpp"
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

// The largest 1-norm of the batch; NaN if an entry is.
template <class T>
T largest_norm(const Node<T>& a) {
  const auto [count, n, columns] = matrices_of(a.shape);
  T largest = 0;
  for (Index j = 0; j < columns; ++j) {
    for (Index k = 0; k < count; ++k) {
      T column = 0;
      for (Index i = 0; i < n; ++i) column += std::abs(a.value[k + count * (i + n * j)]);
      if (!(column <= largest)) largest = column;
    }
  }
  return largest;
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

}  // namespace

template <class T>
Var<T> matrix_exp(const Var<T>& a) {
  square_matrices(a, "matrix_exp");
  const T norm = largest_norm(a.tape().node(a.index()));
  int halvings = 0;
  if (std::isfinite(norm) && norm > Pade<T>::largest_norm) {
    halvings = static_cast<int>(std::ceil(std::log2(norm / Pade<T>::largest_norm)));
  }
  const auto [even, odd] = numerator(a * std::ldexp(T(1), -halvings));
  Var<T> result = solve_factored(factored(even - odd, "matrix_exp", Singular::allowed), even + odd);
  for (int i = 0; i < halvings; ++i) result = matrix_product(result, result);
  return result;
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
