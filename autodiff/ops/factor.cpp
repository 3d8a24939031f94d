#include "fjord/autodiff/ops/factor.hpp"

#include <limits>
#include <numeric>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/rules/factored.hpp"

namespace fjord {

using namespace kernels;
using namespace record;
using namespace rules;

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
    pack(in.value, batch, {0, batch.count}, lu);
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

// The lower triangle of a derivative, with half the diagonal.
template <class T>
Var<T> half_lower(const Var<T>& x) {
  return scaled(lower_part(x) + lower_part(x, -1), T(0.5));
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
        half_lower(matrix_product(l, lower_part(rule.cotangent()), {true, false, {.b = true}}));
    const Var<T> left = solve_triangle_derivative(l, inner, {.transposed = true});
    const Var<T> g = solve_triangle_derivative(l, left, {.right = true});
    rule.add(0, scaled(g + transposed(g), T(0.5)));
  }

  // dL = L half_lower(L^-1 dA L^-T).
  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const Var<T> l = rule.output();
    const Var<T> left = solve_triangle_derivative(l, rule.tangent(0), {});
    const Var<T> inner = solve_triangle_derivative(l, left, {.transposed = true, .right = true});
    rule.set(lower_part(matrix_product(l, half_lower(inner), {false, false, {.b = true}})));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const Target<T> target = k.target(0);
    if (!target) return;
    const MatrixBatch batch = matrices_of(k.node().shape);
    BufferPool& pool = k.tape().sweep_memory().pool;
    const PackedInput<T> l(pool, k.output(), batch);
    const PackedInput<T> g(pool, k.cotangent(), batch);
    const PackedOutput<T> out(pool, target.data, batch);
    T* lower = k.take(batch.size());
    T* inner = k.take(batch.size());
    for (Index i = 0; i < batch.count; ++i) {
      pull_one(batch.rows, l[i], g[i], lower, inner);
      add_symmetric(batch.rows, inner, out[i], target.fresh || !out.is_in_place());
    }
    out.unpack(!target.fresh);
    k.give_back(inner, batch.size());
    k.give_back(lower, batch.size());
  }

  static constexpr const char* name = "cholesky";
  static constexpr Operation<T> row{name, pullback, pushforward, pullback_values};

 private:
  // As pullback, but for the last step, of one matrix.
  static void pull_one(Index n, const T* l, const T* g, T* lower, T* inner) {
    for (Index j = 0; j < n; ++j) {
      std::fill_n(lower + j * n, j, simd::masked_zero<T>);
      std::copy_n(g + j * n + j, n - j, lower + j * n + j);
    }
    if (std::all_of(lower, lower + n * n, [](T x) { return simd::is_masked(x); })) {
      std::fill_n(inner, n * n, simd::masked_zero<T>);
      return;
    }
    multiply<T>({n, n, n}, {l, n, true}, {lower, n}, inner, Start::zero);
    for (Index j = 0; j < n; ++j) {
      std::fill_n(inner + j * n, j, T(0));
      inner[j * n + j] *= T(0.5);
    }
    lapack::solve_triangular({.transposed = true}, n, n, l, inner);
    lapack::solve_triangular({.right = true}, n, n, l, inner);
    clear_signs(inner, n * n);
  }

  static void add_symmetric(Index n, const T* x, T* sum, bool fresh) {
    for (Index j = 0; j < n; ++j) {
      for (Index i = 0; i < n; ++i) {
        const T entry = simd::strong_product_of(x[j * n + i] + x[i * n + j], T(0.5));
        T& target = sum[j * n + i];
        target = fresh ? entry : target + entry;
      }
    }
  }

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

// Of matrices with at least as many rows as columns; outputs Q and R.
template <class T>
struct Qr {
  static QrFactors<T> apply(const Var<T>& a) {
    Tape<T>& tape = a.tape();
    const Node<T> in = tape.node(a, name);
    const MatrixBatch batch = matrices_of(in.shape);
    const auto [m, n] = std::pair(batch.rows, batch.columns);
    const auto [q, r] = append_operation<T, 2>(
        tape, row, {a}, {in.shape, tape.keep_shape(batch_shape(in.shape, n, n))});
    BufferPool& pool = tape.sweep_memory().pool;
    const PackedOutput<T> out_q(pool, q.value, batch);
    const PackedOutput<T> out_r(pool, r.value, {batch.count, n, n});
    out_q.load(in.value);
    for (Index k = 0; n > 0 && k < batch.count; ++k) {
      if (has_only_finite(out_q[k], m * n)) {
        lapack::factor_qr(m, n, out_q[k], out_r[k]);
      } else {
        std::fill_n(out_q[k], m * n, std::numeric_limits<T>::quiet_NaN());
        std::fill_n(out_r[k], n * n, std::numeric_limits<T>::quiet_NaN());
      }
    }
    out_q.unpack();
    out_r.unpack();
    return {q.var, r.var};
  }

  // With M = R gR^T - gQ^T Q, mirrored from its lower triangle: gA = (gQ + Q M) R^-T.
  static void pullback(Reverse<T>& rule) {
    const Var<T> q = rule.output(0);
    const Var<T> r = rule.output(1);
    const Var<T> gq = rule.cotangent(0);
    const Var<T> gr = rule.cotangent(1);
    Var<T> m;
    if (!gr.is_empty()) m = matrix_product(r, upper_part(gr), {false, true, {.b = true}});
    if (!gq.is_empty()) m = difference_of(m, matrix_product(gq, q, {true, false, {.a = true}}));
    const Var<T> inner = matrix_product(q, mirror_lower_part(m), {false, false, {.b = true}});
    rule.add(0, solve_triangle_derivative(r, sum_of(gq, inner), by_transposed_r));
  }

  // With C = Q^T dA R^-1 and D = C - strict lower part + its transpose: dR = D R and
  // dQ = dA R^-1 - Q D.
  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const Var<T> q = rule.output(0);
    const Var<T> r = rule.output(1);
    const Var<T> moved =
        solve_triangle_derivative(r, rule.tangent(0), {.lower = false, .right = true});
    const Var<T> c = matrix_product(q, moved, {true, false, {.b = true}});
    const Var<T> d = upper_part(c) + transposed(lower_part(c, -1));
    if (rule.wants(0))
      rule.set(0, difference_of(moved, matrix_product(q, d, {false, false, {.b = true}})));
    if (rule.wants(1)) rule.set(1, upper_part(matrix_product(d, r, {false, false, {.a = true}})));
    return true;
  }

  static constexpr const char* name = "qr";
  static constexpr Operation<T> row{name, pullback, pushforward};

 private:
  static constexpr lapack::TriangleFlags by_transposed_r{
      .lower = false, .transposed = true, .right = true};
};

}  // namespace

template <class T>
Var<T> rules::factored(const Var<T>& a, const char* op, Singular singular) {
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

template <class T>
QrFactors<T> qr(const Var<T>& a) {
  const NodeShape shape = a.tape().node(a, "qr").shape;
  require(shape.rank >= 2, "qr",
          [&] { return "matrices [..., m, n] are needed, got shape " + to_string(shape.shape()); });
  const auto [count, m, n] = matrices_of(shape);
  if (m >= n) return Qr<T>::apply(a);
  const auto [q, r] = Qr<T>::apply(slice(a, -1, 0, m));
  return {q, concatenate({r, matrix_product(q, slice(a, -1, m, n), {true, false})}, -1)};
}

#define FJORD_INSTANTIATE(T)                                             \
  template Var<T> rules::factored(const Var<T>&, const char*, Singular); \
  template Var<T> lu_factor(const Var<T>&);                              \
  template Var<T> cholesky(const Var<T>&);                               \
  template QrFactors<T> qr(const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
