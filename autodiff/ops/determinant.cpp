#include "fjord/autodiff/ops/determinant.hpp"

#include <limits>

#include "fjord/autodiff/kernels/simd.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/rules/factored.hpp"

namespace fjord {

using namespace kernels;
using namespace record;
using namespace rules;

namespace {

template <class T>
NodeShape leading_shape(Tape<T>& tape, const NodeShape& matrices) {
  return tape.keep_shape(Shape(std::span(matrices.sizes, matrices.rank - 2)));
}

// The factors of one matrix of a node that keeps them.
template <class T>
struct OneLu {
  const T* lu;
  const int* pivots;
  Index n;

  OneLu(const LuFactors<T>& all, Index k, Index order)
      : lu(all.lu + k * order * order), pivots(all.pivots + k * order), n(order) {}

  // Of the permutation.
  T sign() const {
    T result = 1;
    for (Index i = 0; i < n; ++i) {
      if (pivots[i] != i + 1) result = -result;
    }
    return result;
  }

  T diagonal(Index i) const { return lu[i * (n + 1)]; }
};

// Calls body(factors of matrix k, k) for every matrix.
template <class T, class Body>
void for_each_lu(const Node<T>& factored, Body body) {
  const MatrixBatch batch = matrices_of(factored.shape);
  const auto& all = *static_cast<const LuFactors<T>*>(factored.attributes);
  for (Index k = 0; k < batch.count; ++k) body(OneLu<T>(all, k, batch.rows), k);
}

// g A^-T for every matrix, from cotangents g of its determinant's logarithm.
template <class T>
Var<T> pull_log(const Var<T>& a, const Var<T>& g) {
  const NodeShape shape = a.tape().node(a.index()).shape;
  const Var<T> inverse = solve_factored(a, identity_like(a), true);
  return scale(broadcast_to(reshape(g, batch_shape(shape, 1, 1)), shape.shape()), inverse);
}

// Of matrices that are far from singular; takes a node with LU factors.
template <class T>
struct Det {
  static Var<T> apply(const Var<T>& a) {
    Tape<T>& tape = a.tape();
    const Node<T> in = tape.node(a, name);
    const auto [var, value] = append_operation(tape, row, {a}, leading_shape(tape, in.shape));
    for_each_lu(in, [value = value](const OneLu<T>& one, Index k) {
      value[k] = one.sign();
      for (Index i = 0; i < one.n; ++i) value[k] *= one.diagonal(i);
    });
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    rule.add(0, pull_log(rule.input(0), scale(rule.cotangent(), rule.output())));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const Var<T> relative = trace(solve_derivative(rule.input(0), rule.tangent(0)));
    rule.set(scale(relative, rule.output()));
    return true;
  }

  static constexpr const char* name = "det";
  static constexpr Operation<T> row{name, pullback, pushforward};
};

// Outputs the sign and the logarithm; takes a node with LU factors.
template <class T>
struct LogAbsDet {
  static SignLogDet<T> apply(const Var<T>& a) {
    Tape<T>& tape = a.tape();
    const Node<T> in = tape.node(a, name);
    const NodeShape shape = leading_shape(tape, in.shape);
    const auto [sign, log] = append_operation<T, 2>(tape, row, {a}, {shape, shape});
    for_each_lu(in, [s = sign.value, l = log.value](const OneLu<T>& one, Index k) {
      s[k] = one.sign();
      l[k] = 0;
      for (Index i = 0; i < one.n; ++i) {
        const T d = one.diagonal(i);
        l[k] += std::log(std::abs(d));
        s[k] *= d < 0 ? T(-1) : d > 0 ? T(1) : d;
      }
    });
    return {sign.var, log.var};
  }

  static void pullback(Reverse<T>& rule) {
    if (!rule.cotangent(1).is_empty()) rule.add(0, pull_log(rule.input(0), rule.cotangent(1)));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    if (rule.wants(1)) rule.set(1, trace(solve_derivative(rule.input(0), rule.tangent(0))));
    return true;
  }

  static constexpr const char* name = "slogdet";
  static constexpr Operation<T> row{name, pullback, pushforward};
};

// The step of Bird's algorithm: the strict upper triangle, and on the diagonal minus the sum of all
// later diagonal entries; or the transpose of this map.
template <class T>
struct BirdStep {
  static Var<T> apply(const Var<T>& x, bool transposed) {
    Tape<T>& tape = x.tape();
    const Node<T> in = tape.node(x, "det");
    const auto [var, value] = append_operation(tape, row, {x}, in.shape, tape.keep(transposed));
    const auto [count, n, columns] = matrices_of(in.shape);
    // Its derivatives are steps as well.
    std::fill_n(value, in.shape.size, simd::masked_zero<T>);
    for (Index j = 1; j < columns; ++j) {
      std::copy_n(in.value + count * n * j, count * j, value + count * n * j);
      // Diagonal entries from the first on, or from the last on, each from the one before.
      const Index to = transposed ? j : n - 1 - j;
      const Index from = transposed ? j - 1 : n - j;
      const T* before = value + count * (n + 1) * from;
      simd::transform(
          count, value + count * (n + 1) * to,
          [](const auto& sum, const auto& entry) { return sum + simd::negated(entry); }, before,
          in.value + count * (n + 1) * from);
    }
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    rule.add(0, apply(rule.cotangent(), !rule.template attributes<bool>()));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    rule.set(apply(rule.tangent(0), rule.template attributes<bool>()));
    return true;
  }

  static constexpr Operation<T> row{"det", pullback, pushforward};
};

template <class T>
Var<T> block(const Var<T>& x, std::pair<Index, Index> rows, std::pair<Index, Index> columns) {
  return slice(slice(x, -2, rows.first, rows.second), -1, columns.first, columns.second);
}

// The determinant as a polynomial of the entries, n >= 1.
template <class T>
Var<T> det_without_division(const Var<T>& a) {
  const NodeShape shape = a.tape().node(a.index()).shape;
  const Index n = shape[shape.rank - 1];
  const Shape leading = leading_shape(a.tape(), shape).shape();
  if (n == 1) return reshape(a, leading);
  Var<T> x = a;
  for (Index i = 2; i < n; ++i) x = matrix_product(BirdStep<T>::apply(x, false), a);
  const Var<T> first_row = slice(BirdStep<T>::apply(x, false), -2, 0, 1);
  const Var<T> result = reshape(matrix_product(first_row, slice(a, -1, 0, 1)), leading);
  return n % 2 == 0 ? -result : result;
}

// Relative to the largest, above it a singular value may be divided by: det(A) A^-T and its
// derivatives, up to the third, then keep half of their digits at least.
template <class T>
T small_value() {
  return std::sqrt(std::sqrt(std::numeric_limits<T>::epsilon()));
}

template <class T>
bool is_well_conditioned(const Node<T>& factored) {
  const auto [count, n, columns] = matrices_of(factored.shape);
  bool good = true;
  for_each_lu(factored, [&, count = count](const OneLu<T>& one, Index k) {
    T norm = 0;
    for (Index j = 0; j < one.n; ++j) {
      T column = 0;
      for (Index i = 0; i < one.n; ++i) {
        column += std::abs(factored.value[k + count * (i + one.n * j)]);
      }
      norm = std::max(norm, column);
    }
    // Singular values are what is meant: by sums of columns, the condition number is some sqrt(n)
    // times theirs. NaN has no better way.
    const T spread = std::sqrt(static_cast<T>(one.n));
    good = good && (!std::isfinite(one.diagonal(0)) ||
                    spread * lapack::reciprocal_condition(one.n, one.lu, norm) > small_value<T>());
  });
  return good;
}

// Rotations U and V^T of every matrix that make it diagonal, sign = det(U) det(V), and how many
// singular values none of the matrices has small.
template <class T>
struct Rotations {
  Tensor<T> u;
  Tensor<T> vt;
  Tensor<T> sign;
  Index rank;
};

template <class T>
T sign_of_rotation(Index n, const T* rotation) {
  std::vector<T> lu(rotation, rotation + n * n);
  std::vector<int> pivots(static_cast<std::size_t>(n));
  lapack::factor_lu(n, lu.data(), pivots.data());
  const OneLu<T> one({lu.data(), pivots.data()}, 0, n);
  T sign = one.sign();
  for (Index i = 0; i < n; ++i) sign = one.diagonal(i) < 0 ? -sign : sign;
  return sign;
}

template <class T>
Rotations<T> rotations(Tape<T>& tape, const Node<T>& a) {
  const MatrixBatch batch = matrices_of(a.shape);
  const Index n = batch.rows;
  const Shape shape = a.shape.shape();
  Rotations<T> result{Tensor<T>::zeros(shape), Tensor<T>::zeros(shape),
                      Tensor<T>::zeros(leading_shape(tape, a.shape).shape()), n};
  BufferPool& pool = tape.sweep_memory().pool;
  const PackedInput<T> in(pool, a.value, batch);
  const PackedOutput<T> u(pool, result.u.data(), batch);
  const PackedOutput<T> vt(pool, result.vt.data(), batch);
  std::vector<T> s(static_cast<std::size_t>(n));
  for (Index k = 0; k < batch.count; ++k) {
    std::vector<T> own(in[k], in[k] + n * n);
    if (!has_only_finite(own.data(), n * n) ||
        lapack::singular_values(n, n, own.data(), u[k], s.data(), vt[k]) != 0) {
      std::fill_n(u[k], n * n, std::numeric_limits<T>::quiet_NaN());
      std::fill_n(vt[k], n * n, std::numeric_limits<T>::quiet_NaN());
      continue;
    }
    result.sign.data()[k] = sign_of_rotation(n, u[k]) * sign_of_rotation(n, vt[k]);
    const auto is_large = [&](T value) { return value > small_value<T>() * s[0]; };
    result.rank = std::min<Index>(result.rank, std::count_if(s.begin(), s.end(), is_large));
  }
  u.unpack();
  vt.unpack();
  return result;
}

// With M = U^T A V = [[P, Q], [R, S]], nearly diagonal and P far from singular: det A = sign det P
// det(S - R P^-1 Q), where the last is a polynomial. U and V are constants, so this is exact for
// every A, and so are its derivatives.
template <class T>
Var<T> det_by_rotation(const Var<T>& a) {
  Tape<T>& tape = a.tape();
  const Rotations<T> turn = rotations(tape, tape.node(a.index()));
  const Index r = turn.rank;
  const Index n = a.shape()[a.shape().rank() - 1];
  const Var<T> right = matrix_product(a, tape.input(turn.vt), {false, true});
  const Var<T> m = matrix_product(tape.input(turn.u), right, {true, false});
  const auto rest = [&](const Var<T>& small) { return tape.input(turn.sign) * small; };
  if (r == 0) return rest(det_without_division(m));
  const Var<T> p = factored(block(m, {0, r}, {0, r}), "det", Singular::allowed);
  if (r == n) return rest(Det<T>::apply(p));
  const Var<T> q = solve_factored(p, block(m, {0, r}, {r, n}));
  const Var<T> small = block(m, {r, n}, {r, n}) - matrix_product(block(m, {r, n}, {0, r}), q);
  return rest(Det<T>::apply(p) * det_without_division(small));
}

}  // namespace

template <class T>
Var<T> det(const Var<T>& a) {
  const Index n = square_matrices(a, "det").rows;
  Tape<T>& tape = a.tape();
  if (n == 0) return tape.filled(leading_shape(tape, tape.node(a.index()).shape), T(1));
  constexpr Index small = 3;  // a polynomial of so few terms is exact and cheap
  if (n <= small) return det_without_division(a);
  const Var<T> known = factored(a, "det", Singular::allowed);
  return is_well_conditioned(tape.node(known.index())) ? Det<T>::apply(known) : det_by_rotation(a);
}

template <class T>
Var<T> log_det(const Var<T>& a) {
  square_matrices(a, "log_det");
  const auto [sign, log_abs] = slogdet(a);
  // Adds 0, -inf or NaN.
  return log_abs + log(stop_gradient(sign));
}

template <class T>
SignLogDet<T> slogdet(const Var<T>& a) {
  return LogAbsDet<T>::apply(factored(a, "slogdet", Singular::allowed));
}

#define FJORD_INSTANTIATE(T)              \
  template Var<T> det(const Var<T>&);     \
  template Var<T> log_det(const Var<T>&); \
  template SignLogDet<T> slogdet(const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
