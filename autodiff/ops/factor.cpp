#include "fjord/autodiff/ops/factor.hpp"

#include <cmath>
#include <numeric>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/rules/factored.hpp"
#include "fjord/autodiff/rules/lost.hpp"

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

// Triangular factors of a batch of matrices as divisors of derivatives. Where a pivot is 0 to
// within the rounding errors of the factorisation, no derivative exists: each is NaN, in every
// order, unless it is of nothing.
template <class T>
class Pivots final {
 public:
  // is_lost(k) tells of matrix k.
  template <class IsLost>
  Pivots(const Var<T>& triangles, IsLost is_lost) : triangles_(triangles) {
    const Node<T> node = triangles.tape().node(triangles.index());
    is_lost_.resize(static_cast<std::size_t>(matrices_of(node.shape).count));
    for (std::size_t k = 0; k < is_lost_.size(); ++k) is_lost_[k] = is_lost(static_cast<Index>(k));
  }

  // The triangles to solve with.
  Var<T> divisors() const {
    if (std::find(is_lost_.begin(), is_lost_.end(), true) == is_lost_.end()) return triangles_;
    Tape<T>& tape = triangles_.tape();
    Tensor<T> marks = Tensor<T>::zeros(triangles_.shape());
    const auto [count, n, columns] = matrices_of(tape.node(triangles_.index()).shape);
    for (Index i = 0; i < n; ++i) {
      for (Index k = 0; k < count; ++k) {
        if (is_lost_[static_cast<std::size_t>(k)]) marks.data()[k + count * i * (n + 1)] = lost<T>;
      }
    }
    return triangles_ + tape.input(marks);
  }

  // What was found with them from derivatives of one matrix or two.
  Var<T> found(const Var<T>& result, const Var<T>& g, const Var<T>& h = {}) const {
    return or_zero(result, is_lost_, g, h);
  }

 private:
  Var<T> triangles_;
  std::vector<bool> is_lost_;
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
    const Var<T> gl = lower_part(rule.cotangent());
    const Pivots<T> pivots = pivots_of(l);
    const Var<T> by = pivots.divisors();
    const Var<T> inner = half_lower(matrix_product(l, gl, {true, false, {.b = true}}));
    const Var<T> left = solve_triangle_derivative(by, inner, {.transposed = true});
    const Var<T> g = solve_triangle_derivative(by, left, {.right = true});
    rule.add(0, pivots.found(scaled(g + transposed(g), T(0.5)), gl));
  }

  // dL = L half_lower(L^-1 dA L^-T).
  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const Var<T> l = rule.output();
    const Pivots<T> pivots = pivots_of(l);
    const Var<T> by = pivots.divisors();
    const Var<T> left = solve_triangle_derivative(by, rule.tangent(0), {});
    const Var<T> inner = solve_triangle_derivative(by, left, {.transposed = true, .right = true});
    const Var<T> dl = lower_part(matrix_product(l, half_lower(inner), {false, false, {.b = true}}));
    rule.set(pivots.found(dl, rule.tangent(0)));
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
  // A = L L^T has the pivots l_ii^2, and each is what is left of a_ii.
  static bool is_lost(Index n, const T* l, Index step) {
    const T share = std::sqrt(static_cast<T>(n) * std::numeric_limits<T>::epsilon());
    for (Index i = 0; i < n; ++i) {
      T largest = 0;
      for (Index j = 0; j < i; ++j) largest = std::max(largest, std::abs(l[step * (i + n * j)]));
      if (l[step * i * (n + 1)] <= share * largest) return true;
    }
    return false;
  }

  static Pivots<T> pivots_of(const Var<T>& l) {
    const Node<T> node = l.tape().node(l.index());
    const MatrixBatch batch = matrices_of(node.shape);
    return {l, [&](Index k) { return is_lost(batch.rows, node.value + k, batch.count); }};
  }

  // As pullback, except for the last step, of one matrix.
  static void pull_one(Index n, const T* l, const T* g, T* lower, T* inner) {
    for (Index j = 0; j < n; ++j) {
      std::fill_n(lower + j * n, j, simd::masked_zero<T>);
      std::copy_n(g + j * n + j, n - j, lower + j * n + j);
    }
    if (std::all_of(lower, lower + n * n, [](T x) { return simd::is_masked(x); })) {
      std::fill_n(inner, n * n, simd::masked_zero<T>);
      return;
    }
    if (is_lost(n, l, 1)) {
      std::fill_n(inner, n * n, lost<T>);
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
    const Pivots<T> pivots = pivots_of(rule);
    const Var<T> g =
        solve_triangle_derivative(pivots.divisors(), sum_of(gq, inner), by_transposed_r);
    rule.add(0, pivots.found(g, gq, gr));
  }

  // With C = Q^T dA R^-1 and D = C - strict lower part + its transpose: dR = D R and
  // dQ = dA R^-1 - Q D.
  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const Var<T> q = rule.output(0);
    const Var<T> r = rule.output(1);
    const Var<T> da = rule.tangent(0);
    const Pivots<T> pivots = pivots_of(rule);
    const Var<T> moved =
        solve_triangle_derivative(pivots.divisors(), da, {.lower = false, .right = true});
    const Var<T> c = matrix_product(q, moved, {true, false, {.b = true}});
    const Var<T> d = upper_part(c) + transposed(lower_part(c, -1));
    if (rule.wants(0)) {
      const Var<T> dq = difference_of(moved, matrix_product(q, d, {false, false, {.b = true}}));
      rule.set(0, pivots.found(dq, da));
    }
    if (rule.wants(1)) {
      const Var<T> dr = upper_part(matrix_product(d, r, {false, false, {.a = true}}));
      rule.set(1, pivots.found(dr, da));
    }
    return true;
  }

  static constexpr const char* name = "qr";
  static constexpr Operation<T> row{name, pullback, pushforward};

 private:
  static Pivots<T> pivots_of(const RecordedRule<T>& rule) {
    const Node<T> r = rule.tape().node(rule.head() + 1);
    const auto [count, m, n] = matrices_of(rule.input_node(0).shape);
    return {rule.output(1), [&, count = count, m = m, n = n](Index k) {
              return is_dependent(m, n, r.value + k, count);
            }};
  }

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
