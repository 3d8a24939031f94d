#include "fjord/autodiff/ops/spectral.hpp"

#include <limits>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/lapack.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/rules/matrix.hpp"

namespace fjord {

using namespace kernels;
using namespace record;
using namespace rules;

namespace {

// Values [..., n] as one row, or one column, of a matrix each.
template <class T>
Var<T> as_row(const Var<T>& values) {
  const Shape shape = values.shape();
  return reshape(values, shape.with_axis(shape.rank() - 1, 1));
}

template <class T>
Var<T> as_column(const Var<T>& values) {
  const Shape shape = values.shape();
  return reshape(values, shape.with_axis(shape.rank(), 1));
}

template <class T>
Var<T> diagonal_matrix(const Var<T>& values) {
  const Index n = values.shape()[values.shape().rank() - 1];
  const Var<T> identity = values.tape().input(Tensor<T>::identity(n));
  return where(identity, as_row(values), masked(values.tape()));
}

template <class T>
Var<T> diagonal_of(const Var<T>& matrices) {
  return sum(where(identity_like(matrices), matrices, masked(matrices.tape())), {-1});
}

template <class T>
Var<T> without_diagonal(const Var<T>& x) {
  return lower_part(x, -1) + upper_part(x, 1);
}

// x_ij / d_ij off the diagonal, 0 on it and wherever x is 0.
template <class T>
Var<T> divided(const Var<T>& x, const Var<T>& d) {
  return scale(
      without_diagonal(x),
      reciprocal(d + d.tape().input(Tensor<T>::identity(d.shape()[d.shape().rank() - 1]))));
}

// Entry (i, j) is v_j - v_i.
template <class T>
Var<T> differences(const Var<T>& values) {
  return as_row(values) - as_column(values);
}

template <class T>
Var<T> divided_by_row(const Var<T>& x, const Var<T>& values) {
  return scale(x, broadcast_to(reciprocal(as_row(values)), x.shape()));
}

template <class T>
Var<T> divided_by_column(const Var<T>& x, const Var<T>& values) {
  return scale(x, broadcast_to(reciprocal(as_column(values)), x.shape()));
}

template <class T>
Var<T> times_row(const Var<T>& x, const Var<T>& values) {
  return scale(x, broadcast_to(as_row(values), x.shape()));
}

template <class T>
Var<T> times_column(const Var<T>& x, const Var<T>& values) {
  return scale(x, broadcast_to(as_column(values), x.shape()));
}

// Whether the largest entry of a vector, the first among equals, is negative.
template <class T>
bool is_turned(const T* vector, Index n) {
  const auto smaller = [](T a, T b) { return std::abs(a) < std::abs(b); };
  return n > 0 && *std::max_element(vector, vector + n, smaller) < 0;
}

template <class T>
void fill_nan(T* numbers, Index count) {
  std::fill_n(numbers, count, std::numeric_limits<T>::quiet_NaN());
}

constexpr const char* no_convergence = "one whose decomposition does not converge";

// Of symmetric matrices; outputs the values and the vectors.
template <class T>
struct EighOperation {
  static Eigh<T> apply(const Var<T>& a) {
    Tape<T>& tape = a.tape();
    const Node<T> in = tape.node(a, name);
    const MatrixBatch batch = matrices_of(in.shape);
    const NodeShape shape = tape.keep_shape(in.shape.shape().without_axis(in.shape.rank - 1));
    const auto [values, vectors] = append_operation<T, 2>(tape, row, {a}, {shape, in.shape});
    BufferPool& pool = tape.sweep_memory().pool;
    const Index n = batch.rows;
    const PackedOutput<T> w(pool, values.value, {batch.count, n, 1});
    const PackedOutput<T> v(pool, vectors.value, batch);
    v.load(in.value);
    for (Index k = 0; n > 0 && k < batch.count; ++k) {
      if (has_only_finite(v[k], n * n)) {
        if (lapack::eigen_symmetric(n, v[k], w[k]) != 0) {
          fail_for_matrix(name, k, batch.count, no_convergence);
        }
        for (Index j = 0; j < n; ++j) {
          T* vector = v[k] + j * n;
          if (is_turned(vector, n)) std::transform(vector, vector + n, vector, std::negate<T>());
        }
      } else {
        fill_nan(v[k], n * n);
        fill_nan(w[k], n);
      }
    }
    w.unpack();
    v.unpack();
    return {values.var, vectors.var};
  }

  // gA = V (diag(gw) + (V^T gV) / (w_j - w_i)) V^T, made symmetric.
  static void pullback(Reverse<T>& rule) {
    const Var<T> v = rule.output(1);
    Var<T> inner;
    if (!rule.cotangent(0).is_empty()) inner = diagonal_matrix(rule.cotangent(0));
    if (!rule.cotangent(1).is_empty()) {
      const Var<T> turn = matrix_product(v, rule.cotangent(1), {true, false, {.b = true}});
      inner = sum_of(inner, divided(turn, differences(rule.output(0))));
    }
    const Var<T> right = matrix_product(inner, v, {false, true, {.a = true}});
    const Var<T> g = matrix_product(v, right, {false, false, {.b = true}});
    rule.add(0, scaled(g + transposed(g), T(0.5)));
  }

  // With P = V^T dA V: dw = diag(P), dV = V (P / (w_j - w_i)).
  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const Var<T> v = rule.output(1);
    const Var<T> right = matrix_product(rule.tangent(0), v, {false, false, {.a = true}});
    const Var<T> p = matrix_product(v, right, {true, false, {.b = true}});
    if (rule.wants(0)) rule.set(0, diagonal_of(p));
    if (rule.wants(1)) {
      const Var<T> quotients = divided(p, differences(rule.output(0)));
      rule.set(1, matrix_product(v, quotients, {false, false, {.b = true}}));
    }
    return true;
  }

  static constexpr const char* name = "eigh";
  static constexpr Operation<T> row{name, pullback, pushforward};
};

// Outputs u, s and vh.
template <class T>
struct SvdOperation {
  static Svd<T> apply(const Var<T>& a) {
    Tape<T>& tape = a.tape();
    const Node<T> in = tape.node(a, name);
    const auto [count, m, n] = matrices_of(in.shape);
    const Index k = std::min(m, n);
    const Shape wide = batch_shape(in.shape, k, n);
    const NodeShape shape_s = tape.keep_shape(wide.without_axis(wide.rank() - 1));
    const auto [u, s, vh] = append_operation<T, 3>(
        tape, row, {a},
        {tape.keep_shape(batch_shape(in.shape, m, k)), shape_s, tape.keep_shape(wide)});
    BufferPool& pool = tape.sweep_memory().pool;
    const PackedInput<T> given(pool, in.value, {count, m, n});
    const PackedOutput<T> out_u(pool, u.value, {count, m, k});
    const PackedOutput<T> out_s(pool, s.value, {count, k, 1});
    const PackedOutput<T> out_vh(pool, vh.value, {count, k, n});
    for (Index i = 0; k > 0 && i < count; ++i) {
      decompose({given[i], m, n}, {out_u[i], out_s[i], out_vh[i]}, i, count);
    }
    out_u.unpack();
    out_s.unpack();
    out_vh.unpack();
    return {u.var, s.var, vh.var};
  }

  // The transpose of pushforward: gA = U C V^T and what lies outside of U and V, where
  // C = (Y + Y^T) S + S (W + W^T) + diag(gs), Y = U^T gU / d, W = V^T gV / d, d = s_j^2 - s_i^2.
  static void pullback(Reverse<T>& rule) {
    const Var<T> u = rule.output(0);
    const Var<T> s = rule.output(1);
    const Var<T> vh = rule.output(2);
    const auto twice = [](const Var<T>& x) { return x + transposed(x); };
    Var<T> core;
    Var<T> outside;
    if (!rule.cotangent(1).is_empty()) core = diagonal_matrix(rule.cotangent(1));
    if (const Var<T> gu = rule.cotangent(0); !gu.is_empty()) {
      const Var<T> x = matrix_product(u, gu, {true, false, {.b = true}});
      core = sum_of(core, times_row(twice(divided_by_squares(x, s)), s));
      if (is_tall(rule)) {
        const Var<T> rest = difference_of(gu, matrix_product(u, x, {false, false, {.b = true}}));
        outside = matrix_product(divided_by_row(rest, s), vh, {false, false, {.a = true}});
      }
    }
    if (const Var<T> gv = rule.cotangent(2); !gv.is_empty()) {
      const Var<T> x = matrix_product(vh, gv, {false, true, {.b = true}});
      core = sum_of(core, times_column(twice(divided_by_squares(x, s)), s));
      if (is_wide(rule)) {
        const Var<T> rest = difference_of(gv, matrix_product(x, vh, {true, false, {.a = true}}));
        const Var<T> part = divided_by_column(rest, s);
        outside = sum_of(outside, matrix_product(u, part, {false, false, {.b = true}}));
      }
    }
    const Var<T> right = matrix_product(core, vh, {false, false, {.a = true}});
    rule.add(0, sum_of(matrix_product(u, right, {false, false, {.b = true}}), outside));
  }

  // With P = U^T dA V: ds = diag(P), dU = U ((P S + S P^T) / d) + (dA V - U P) / S, and V likewise.
  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const Var<T> u = rule.output(0);
    const Var<T> s = rule.output(1);
    const Var<T> vh = rule.output(2);
    const Var<T> da = rule.tangent(0);
    const Var<T> left = matrix_product(u, da, {true, false, {.b = true}});
    const Var<T> p = matrix_product(left, vh, {false, true, {.a = true}});
    if (rule.wants(1)) rule.set(1, diagonal_of(p));
    if (rule.wants(0)) {
      const Var<T> ps = times_row(p, s);
      const Var<T> quotients = divided_by_squares(ps + transposed(ps), s);
      Var<T> du = matrix_product(u, quotients, {false, false, {.b = true}});
      if (is_tall(rule)) {
        const Var<T> rest = difference_of(matrix_product(da, vh, {false, true, {.a = true}}),
                                          matrix_product(u, p, {false, false, {.b = true}}));
        du = du + divided_by_row(rest, s);
      }
      rule.set(0, du);
    }
    if (rule.wants(2)) {
      const Var<T> sp = times_column(p, s);
      const Var<T> quotients = divided_by_squares(sp + transposed(sp), s);
      Var<T> dvh = matrix_product(quotients, vh, {true, false, {.a = true}});
      if (is_wide(rule)) {
        const Var<T> rest = difference_of(left, matrix_product(p, vh, {false, false, {.a = true}}));
        dvh = dvh + divided_by_column(rest, s);
      }
      rule.set(2, dvh);
    }
    return true;
  }

  static constexpr const char* name = "svd";
  static constexpr Operation<T> row{name, pullback, pushforward};

 private:
  struct Matrix {
    const T* data;
    Index rows;
    Index columns;
  };

  struct Parts {
    T* u;
    T* s;
    T* vh;
  };

  static void decompose(const Matrix& a, const Parts& out, Index i, Index count) {
    const auto [data, m, n] = a;
    const Index k = std::min(m, n);
    if (!has_only_finite(data, m * n)) {
      fill_nan(out.u, m * k);
      fill_nan(out.s, k);
      fill_nan(out.vh, k * n);
      return;
    }
    std::vector<T> own(data, data + m * n);
    if (lapack::singular_values(m, n, own.data(), out.u, out.s, out.vh) != 0) {
      fail_for_matrix(name, i, count, no_convergence);
    }
    for (Index j = 0; j < k; ++j) {
      T* vector = out.u + j * m;
      if (!is_turned(vector, m)) continue;
      std::transform(vector, vector + m, vector, std::negate<T>());
      for (Index l = 0; l < n; ++l) out.vh[j + l * k] = -out.vh[j + l * k];
    }
  }

  static bool is_tall(const RuleNode<T>& rule) {
    const auto [count, m, n] = matrices_of(rule.input_node(0).shape);
    return m > n;
  }

  static bool is_wide(const RuleNode<T>& rule) {
    const auto [count, m, n] = matrices_of(rule.input_node(0).shape);
    return n > m;
  }

  // x_ij / (s_j^2 - s_i^2) as two quotients: without loss where the values are close, and without
  // squares that overflow or underflow.
  static Var<T> divided_by_squares(const Var<T>& x, const Var<T>& s) {
    return divided(divided(x, differences(s)), as_row(s) + as_column(s));
  }
};

}  // namespace

template <class T>
Eigh<T> eigh(const Var<T>& a) {
  square_matrices(a, "eigh");
  return EighOperation<T>::apply(mirror_lower(a));
}

template <class T>
Svd<T> svd(const Var<T>& a) {
  const NodeShape shape = a.tape().node(a, "svd").shape;
  require(shape.rank >= 2, "svd",
          [&] { return "matrices [..., m, n] are needed, got shape " + to_string(shape.shape()); });
  return SvdOperation<T>::apply(a);
}

#define FJORD_INSTANTIATE(T)            \
  template Eigh<T> eigh(const Var<T>&); \
  template Svd<T> svd(const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
