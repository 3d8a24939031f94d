#include "fjord/autodiff/ops/factor.hpp"

#include <limits>
#include <numeric>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/factored.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"

namespace fjord {
namespace {

// The matrices themselves, with their LU factors as attributes.
template <class T>
struct LuFactor {
  static Var<T> apply(const Var<T>& a, const char* op, Singular singular) {
    Tape<T>& tape = a.tape();
    const MatrixBatch batch = square_matrices(a, op);
    const Node<T> in = tape.node(a.index());
    if (in.op == &row) return a;
    T* lu = tape.new_values(in.shape.size);
    int* pivots =
        tape.template new_records<int>(static_cast<std::size_t>(batch.count * batch.rows));
    transpose_into(batch.count, batch.size(), in.value, lu, false);
    for (Index k = 0; k < batch.count; ++k) {
      T* matrix = lu + k * batch.size();
      int* own = pivots + k * batch.rows;
      if (!has_only_finite(matrix, batch.size())) {
        std::fill_n(matrix, batch.size(), std::numeric_limits<T>::quiet_NaN());
        std::iota(own, own + batch.rows, 1);
      } else if (lapack::factor_lu(batch.rows, matrix, own) != 0 && singular == Singular::refused) {
        fail_for_matrix(op, k, batch.count, "singular");
      }
    }
    return append_alias(tape, row, a, in.shape, in.value, tape.keep(LuFactors<T>{lu, pivots}));
  }

  static void pullback(Reverse<T>& rule) { rule.add(0, rule.cotangent()); }

  static bool pushforward(Forward<T>& rule) {
    rule.set(rule.tangent(0));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) { k.pass(0); }

  static constexpr Operation<T> row{"lu_factor", pullback, pushforward, pullback_values};
};

// The lower triangle, with half the diagonal.
template <class T>
Var<T> half_lower(const Var<T>& x) {
  return (lower_triangle(x) + lower_triangle(x, -1)) * T(0.5);
}

// Of symmetric matrices, whose tangents and cotangents are symmetric, too.
template <class T>
struct Cholesky {
  static Var<T> apply(const Var<T>& a) {
    Tape<T>& tape = a.tape();
    const Node<T> in = tape.node(a, name);
    const auto [var, value] = append_operation(tape, row, {a}, in.shape);
    const MatrixBatch batch = matrices_of(in.shape);
    const PackedOutput<T> out(tape.sweep_memory().pool, value, batch);
    out.load(in.value);
    for (Index k = 0; k < batch.count; ++k) factor(out[k], k, batch);
    out.unpack();
    return var;
  }

  // With M = L^T dL, masked: dA = sym(L^-T half_lower(M) L^-1).
  static void pullback(Reverse<T>& rule) {
    const Var<T> l = rule.output();
    const Var<T> inner =
        half_lower(matrix_product(l, lower_triangle(rule.cotangent()), {true, false}));
    const Var<T> left = solve_triangle(l, inner, {.transposed = true});
    const Var<T> g = solve_triangle(l, left, {.right = true});
    rule.add(0, (g + transposed(g)) * T(0.5));
  }

  // dL = L half_lower(L^-1 dA L^-T).
  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const Var<T> l = rule.output();
    const Var<T> left = solve_triangle(l, rule.tangent(0), {});
    const Var<T> inner = solve_triangle(l, left, {.transposed = true, .right = true});
    rule.set(matrix_product(l, half_lower(inner)));
    return true;
  }

  static constexpr const char* name = "cholesky";
  static constexpr Operation<T> row{name, pullback, pushforward};

 private:
  static void factor(T* matrix, Index k, const MatrixBatch& batch) {
    const Index n = batch.rows;
    if (!has_only_finite(matrix, batch.size())) {
      std::fill_n(matrix, batch.size(), std::numeric_limits<T>::quiet_NaN());
    } else if (lapack::factor_cholesky(n, matrix) != 0) {
      fail_for_matrix(name, k, batch.count, "not positive definite");
    }
    for (Index j = 1; j < n; ++j) std::fill_n(matrix + j * n, j, T(0));
  }
};

}  // namespace

template <class T>
Var<T> factored(const Var<T>& a, const char* op, Singular singular) {
  return LuFactor<T>::apply(a, op, singular);
}

template <class T>
Var<T> lu_factor(const Var<T>& a) {
  return factored(a, "lu_factor");
}

template <class T>
Var<T> cholesky(const Var<T>& a) {
  square_matrices(a, "cholesky");
  return Cholesky<T>::apply(mirror_lower(a));
}

#define FJORD_INSTANTIATE(T)                                      \
  template Var<T> factored(const Var<T>&, const char*, Singular); \
  template Var<T> lu_factor(const Var<T>&);                       \
  template Var<T> cholesky(const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
