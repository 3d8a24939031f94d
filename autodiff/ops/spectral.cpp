#include "fjord/autodiff/ops/spectral.hpp"

#include <limits>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/lapack.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/rules/matrix.hpp"

namespace fjord {

using namespace kernels;
using namespace record;
using namespace rules;

namespace {

template <class T>
Var<T> sum_of(const Var<T>& a, const Var<T>& b) {
  return a.is_empty() ? b : b.is_empty() ? a : a + b;
}

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
  return as_row(values) * values.tape().input(Tensor<T>::identity(n));
}

template <class T>
Var<T> diagonal_of(const Var<T>& matrices) {
  return sum(scale(identity_like(matrices), matrices), {-1});
}

template <class T>
Var<T> without_diagonal(const Var<T>& x) {
  return lower_triangle(x, -1) + upper_triangle(x, 1);
}

// Which vectors a derivative is of: all of a matrix together, or each of its columns or rows.
enum class Part { all, columns, rows };

// Quotients by the eigenvalues or singular values of matrices, for a derivative g of their vectors.
//
// A divisor that is 0 to within the rounding errors of the decomposition, some n eps |A| for a
// longer side n, is lost. Its quotients are NaN for every vector that g reaches, also if their
// numerator is 0, because that depends on which of the possible vectors LAPACK chose. So are their
// derivatives.
template <class T>
class Quotients final {
 public:
  Quotients(const Var<T>& values, Index longer_side, const Var<T>& g, Part part)
      : values_(values), node_(values.tape().node(values.index())), part_(part) {
    order_ = node_.shape[node_.shape.rank - 1];
    count_ = order_ == 0 ? 0 : node_.shape.size / order_;
    smallest_.resize(static_cast<std::size_t>(count_));
    const T share = 4 * static_cast<T>(longer_side) * std::numeric_limits<T>::epsilon();
    for (Index i = 0; i < node_.shape.size; ++i) {
      T& smallest = smallest_[static_cast<std::size_t>(i % count_)];
      smallest = std::max(smallest, share * std::abs(node_.value[i]));
    }
    find_reached(g.tape().node(g.index()));
  }

  // x_ij / (v_j - v_i) off the diagonal, 0 on it.
  Var<T> by_differences(const Var<T>& x) const {
    return quotients(
        without_diagonal(x), as_row(values_) - as_column(values_) + identity_like(x),
        [](Index i, Index j) { return i != j; },
        [this](Index k, Index i, Index j) { return value(k, j) - value(k, i); });
  }

  // x_ij / (v_i + v_j), for x of 0 on the diagonal.
  Var<T> by_sums(const Var<T>& x) const {
    return quotients(
        x, as_row(values_) + as_column(values_) + identity_like(x),
        [](Index i, Index j) { return i != j; },
        [this](Index k, Index i, Index j) { return value(k, j) + value(k, i); });
  }

  // x_ij / v_j.
  Var<T> by_row(const Var<T>& x) const {
    return quotients(
        x, as_row(values_), [](Index, Index) { return true; },
        [this](Index k, Index, Index j) { return value(k, j); });
  }

 private:
  T value(Index k, Index i) const { return node_.value[k + count_ * i]; }

  void find_reached(const Node<T>& g) {
    const auto [count, rows, columns] = matrices_of(g.shape);
    reached_.resize(static_cast<std::size_t>(count * order_));
    for (Index i = 0; i < g.shape.size; ++i) {
      if (g.value[i] == 0) continue;
      const Index k = i % count;
      const Index line = part_ == Part::rows ? i / count % rows : i / (count * rows);
      for (Index j = 0; j < order_; ++j) {
        if (part_ == Part::all || j == line)
          reached_[static_cast<std::size_t>(k + count * j)] = true;
      }
    }
  }

  // x / divisors, which are size(k, i, j) where is_used(i, j).
  template <class IsUsed, class Size>
  Var<T> quotients(const Var<T>& x, const Var<T>& divisors, IsUsed is_used, Size size) const {
    const auto [count, rows, columns] = matrices_of(x.tape().node(x.index()).shape);
    std::vector<Index> lost;
    for (Index at = 0; at < count * rows * columns; ++at) {
      const auto [k, i, j] = std::array{at % count, at / count % rows, at / (count * rows)};
      const bool is_small = std::abs(size(k, i, j)) <= smallest_[static_cast<std::size_t>(k)];
      if (is_small && is_used(i, j)) lost.push_back(at);
    }
    if (lost.empty()) return scale(x, broadcast_to(reciprocal(divisors), x.shape()));
    Tensor<T> marks = Tensor<T>::zeros(x.shape());
    Tensor<T> shown = marks;
    for (const Index at : lost) {
      const Index line = at % count + count * (at / (count * rows));
      marks.data()[at] = std::numeric_limits<T>::quiet_NaN();
      if (reached_[static_cast<std::size_t>(line)]) shown.data()[at] = marks.data()[at];
    }
    Tape<T>& tape = x.tape();
    return scale(x, reciprocal(divisors + tape.input(marks))) + tape.input(shown);
  }

  Var<T> values_;
  Node<T> node_;
  Part part_;
  Index order_ = 0;
  Index count_ = 0;
  std::vector<T> smallest_;    // the smallest divisor of each matrix that is not lost
  std::vector<bool> reached_;  // by g, for each vector of each matrix
};

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
      const Var<T> turn = matrix_product(v, rule.cotangent(1), {true, false});
      inner = sum_of(inner, quotients(rule, rule.cotangent(1), Part::columns).by_differences(turn));
    }
    const Var<T> g = matrix_product(v, matrix_product(inner, v, {false, true}));
    rule.add(0, (g + transposed(g)) * T(0.5));
  }

  // With P = V^T dA V: dw = diag(P), dV = V (P / (w_j - w_i)).
  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const Var<T> v = rule.output(1);
    const Var<T> p = matrix_product(v, matrix_product(rule.tangent(0), v), {true, false});
    if (rule.wants(0)) rule.set(0, diagonal_of(p));
    if (rule.wants(1)) {
      rule.set(1, matrix_product(v, quotients(rule, rule.tangent(0), Part::all).by_differences(p)));
    }
    return true;
  }

  static constexpr const char* name = "eigh";
  static constexpr Operation<T> row{name, pullback, pushforward};

 private:
  static Quotients<T> quotients(const RecordedRule<T>& rule, const Var<T>& g, Part part) {
    return {rule.output(0), matrices_of(rule.input_node(0).shape).rows, g, part};
  }
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
      const Var<T> x = matrix_product(u, gu, {true, false});
      const Quotients<T> by = quotients(rule, gu, Part::columns);
      core = sum_of(core, twice(by_squares(by, x)) * as_row(s));
      if (is_tall(rule)) {
        const Var<T> rest = gu - matrix_product(u, x);
        outside = matrix_product(by.by_row(rest), vh);
      }
    }
    if (const Var<T> gv = rule.cotangent(2); !gv.is_empty()) {
      const Var<T> x = matrix_product(vh, gv, {false, true});
      const Quotients<T> by = quotients(rule, gv, Part::rows);
      core = sum_of(core, twice(by_squares(by, x)) * as_column(s));
      if (is_wide(rule)) {
        const Var<T> rest = gv - matrix_product(x, vh, {true, false});
        const Var<T> quotient = by.by_row(transposed(rest));
        outside = sum_of(outside, matrix_product(u, quotient, {false, true}));
      }
    }
    rule.add(0, sum_of(matrix_product(u, matrix_product(core, vh)), outside));
  }

  // With P = U^T dA V: ds = diag(P), dU = U ((P S + S P^T) / d) + (dA V - U P) / S, and V likewise.
  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const Var<T> u = rule.output(0);
    const Var<T> s = rule.output(1);
    const Var<T> vh = rule.output(2);
    const Var<T> da = rule.tangent(0);
    const Var<T> left = matrix_product(u, da, {true, false});
    const Var<T> p = matrix_product(left, vh, {false, true});
    const Quotients<T> by = quotients(rule, da, Part::all);
    if (rule.wants(1)) rule.set(1, diagonal_of(p));
    if (rule.wants(0)) {
      const Var<T> ps = p * as_row(s);
      Var<T> du = matrix_product(u, by_squares(by, ps + transposed(ps)));
      if (is_tall(rule)) {
        const Var<T> rest = matrix_product(da, vh, {false, true}) - matrix_product(u, p);
        du = du + by.by_row(rest);
      }
      rule.set(0, du);
    }
    if (rule.wants(2)) {
      const Var<T> sp = p * as_column(s);
      Var<T> dvh = matrix_product(by_squares(by, sp + transposed(sp)), vh, {true, false});
      if (is_wide(rule)) {
        const Var<T> rest = left - matrix_product(p, vh);
        dvh = dvh + transposed(by.by_row(transposed(rest)));
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

  static Quotients<T> quotients(const RecordedRule<T>& rule, const Var<T>& g, Part part) {
    const auto [count, m, n] = matrices_of(rule.input_node(0).shape);
    return {rule.output(1), std::max(m, n), g, part};
  }

  // x_ij / (s_j^2 - s_i^2) off the diagonal, 0 on it, as two quotients: without loss where the
  // values are close, and without squares that overflow or underflow.
  static Var<T> by_squares(const Quotients<T>& by, const Var<T>& x) {
    return by.by_sums(by.by_differences(x));
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
