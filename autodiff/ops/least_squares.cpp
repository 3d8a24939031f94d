#include "fjord/autodiff/ops/least_squares.hpp"

#include <cmath>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/lapack.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/rules/lost.hpp"
#include "fjord/autodiff/rules/matrix.hpp"

namespace fjord {

using namespace kernels;
using namespace record;
using namespace rules;

namespace {

// Q and R of every matrix of a batch, one after another; NaN where R has a pivot that is 0 but for
// rounding errors.
template <class T>
struct Factors {
  const T* q;
  const T* r;
  MatrixBatch batch;

  bool is_lost(Index k) const {
    return batch.columns > 0 && std::isnan(r[k * batch.columns * batch.columns]);
  }
};

template <class T>
const Factors<T>* factor(const Var<T>& a) {
  Tape<T>& tape = a.tape();
  const Node<T> in = tape.node(a.index());
  const MatrixBatch batch = matrices_of(in.shape);
  const auto [count, m, n] = batch;
  T* q = tape.new_values(in.shape.size);
  T* r = tape.new_values(count * n * n);
  if (count > 0) pack(in.value, batch, {0, count}, q);
  for (Index k = 0; n > 0 && k < count; ++k) {
    T* own = q + k * m * n;
    T* triangle = r + k * n * n;
    const bool is_finite = has_only_finite(own, m * n);
    if (is_finite) lapack::factor_qr(m, n, own, triangle);
    if (is_finite && !is_dependent(m, n, triangle)) continue;
    std::fill_n(own, m * n, lost<T>);
    std::fill_n(triangle, n * n, lost<T>);
  }
  return tape.keep(Factors<T>{q, r, batch});
}

// Solves R + A X = B, A^T R = C for R and X, of A with at least as many rows as columns. For C = 0
// X is the least squares solution and R what it leaves; for B = 0 R is the shortest solution of A^T
// R = C.
//
// As [1, A; A^T, 0] is symmetric, both rules solve with it again.
template <class T>
struct Augmented {
  // R and X.
  static std::array<NewNode<T>, 2> apply(const Var<T>& a, const Var<T>& b, const Var<T>& c,
                                         const Factors<T>* factors) {
    Tape<T>& tape = a.tape();
    const Node<T> in_b = tape.node(b.index());
    const Node<T> in_c = tape.node(c.index());
    const std::array<NewNode<T>, 2> found =
        append_operation<T, 2>(tape, row, {a, b, c}, {in_b.shape, in_c.shape}, factors);
    const MatrixBatch tall = matrices_of(in_b.shape);
    const MatrixBatch wide = matrices_of(in_c.shape);
    BufferPool& pool = tape.sweep_memory().pool;
    const PackedOutput<T> out_r(pool, found[0].value, tall);
    const PackedOutput<T> out_x(pool, found[1].value, wide);
    out_r.load(in_b.value);
    out_x.load(in_c.value);
    for (Index k = 0; k < tall.count; ++k) {
      solve_one(*factors, k, tall.columns, out_r[k], out_x[k]);
    }
    out_r.unpack();
    out_x.unpack();
    return found;
  }

  // With K z = h: g of h is K^-1 g of z, and that of K is -(g of h) z^T.
  static void pullback(Reverse<T>& rule) {
    const auto* factors = &rule.template attributes<Factors<T>>();
    const auto [gb, gc] = apply(rule.input(0), or_masked(rule.cotangent(0), rule.output(0)),
                                or_masked(rule.cotangent(1), rule.output(1)), factors);
    rule.add(1, gb.var);
    rule.add(2, gc.var);
    if (!rule.wants(0)) return;
    const Var<T> found =
        negated(matrix_product(gb.var, rule.output(1), {false, true, {.a = true}}) +
                matrix_product(rule.output(0), gc.var, {false, true, {.b = true}}));
    rule.add(0, or_zero(found, lost_ones(*factors), rule.cotangent(0), rule.cotangent(1)));
  }

  // K dz = dh - dK z.
  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const auto* factors = &rule.template attributes<Factors<T>>();
    Var<T> db = or_masked(rule.tangent(1), rule.output(0));
    Var<T> dc = or_masked(rule.tangent(2), rule.output(1));
    const Var<T> da = rule.tangent(0);
    if (!da.is_empty()) {
      const std::vector<bool> is_lost = lost_ones(*factors);
      const Var<T> on_b = matrix_product(da, rule.output(1), {false, false, {.a = true}});
      const Var<T> on_c = matrix_product(da, rule.output(0), {true, false, {.a = true}});
      db = difference_of(db, or_zero(on_b, is_lost, da));
      dc = difference_of(dc, or_zero(on_c, is_lost, da));
    }
    const auto [dr, dx] = apply(rule.input(0), db, dc, factors);
    if (rule.wants(0)) rule.set(0, dr.var);
    if (rule.wants(1)) rule.set(1, dx.var);
    return true;
  }

  static constexpr const char* name = "lstsq";
  static constexpr Operation<T> row{name, pullback, pushforward};

  static std::vector<bool> lost_ones(const Factors<T>& factors) {
    std::vector<bool> result(static_cast<std::size_t>(factors.batch.count));
    for (std::size_t k = 0; k < result.size(); ++k) {
      result[k] = factors.is_lost(static_cast<Index>(k));
    }
    return result;
  }

 private:
  static Var<T> or_masked(const Var<T>& x, const Var<T>& like) {
    if (!x.is_empty()) return x;
    const NodeShape shape = like.tape().node(like.index()).shape;
    return masked(like.tape(), shape);
  }

  // B becomes R, and C becomes X; masked zeros stay so, also where A does not have full rank.
  static void solve_one(const Factors<T>& factors, Index k, Index columns, T* b, T* c) {
    const auto [count, m, n] = factors.batch;
    const auto is_masked = [](T entry) { return simd::is_masked(entry); };
    const bool is_idle =
        std::all_of(b, b + m * columns, is_masked) && std::all_of(c, c + n * columns, is_masked);
    if (is_idle || columns == 0 || n == 0) return;
    const T* q = factors.q + k * m * n;
    const T* r = factors.r + k * n * n;
    // R = (1 - Q Q^T) B + Q S and X = R^-1 (Q^T B - S) with S = R^-T C. What B has along Q is taken
    // off twice, because a small rest would keep the rounding errors of the first time.
    std::vector<T> along(static_cast<std::size_t>(n * columns), T(0));
    for (int time = 0; time < 2; ++time) {
      std::vector<T> part(along.size());
      multiply<T>({n, columns, m}, {q, m, true}, {b, m}, part.data(), Start::zero);
      for (std::size_t i = 0; i < part.size(); ++i) along[i] += part[i];
      for (T& entry : part) entry = -entry;
      multiply<T>({m, columns, n}, {q, m}, {part.data(), n}, b, Start::present);
    }
    lapack::solve_triangular({.lower = false, .transposed = true}, n, columns, r, c);
    multiply<T>({m, columns, n}, {q, m}, {c, n}, b, Start::present);
    for (std::size_t i = 0; i < along.size(); ++i) c[i] = along[i] - c[i];
    lapack::solve_triangular({.lower = false}, n, columns, r, c);
    clear_signs(b, m * columns);
    clear_signs(c, n * columns);
  }
};

// A^+ B of one matrix by its singular values; A is lost.
template <class T>
void solve_by_singular_values(const MatrixBatch& shape, std::vector<T>& a, const T* b,
                              Index columns, T* x) {
  const auto [count, m, n] = shape;
  const Index k = std::min(m, n);
  std::vector<T> u(static_cast<std::size_t>(m * k));
  std::vector<T> s(static_cast<std::size_t>(k));
  std::vector<T> vt(static_cast<std::size_t>(k * n));
  if (lapack::singular_values(m, n, a.data(), u.data(), s.data(), vt.data()) != 0) return;
  const T smallest = static_cast<T>(std::max(m, n)) * std::numeric_limits<T>::epsilon() * s[0];
  std::vector<T> parts(static_cast<std::size_t>(k * columns));
  multiply<T>({k, columns, m}, {u.data(), m, true}, {b, m}, parts.data(), Start::zero);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const T size = s[i % s.size()];
    parts[i] = size > smallest ? parts[i] / size : T(0);
  }
  multiply<T>({n, columns, k}, {vt.data(), k, true}, {parts.data(), k}, x, Start::zero);
}

// Gives the solutions of matrices without full rank, which are NaN, their values, and their other
// half zeros: only derivatives read that, and they are NaN.
template <class T>
void write_lost_values(const NewNode<T>& solution, const NewNode<T>& other, const Var<T>& a,
                       const Var<T>& b, const Factors<T>& factors) {
  const std::vector<bool> is_lost = Augmented<T>::lost_ones(factors);
  if (std::find(is_lost.begin(), is_lost.end(), true) == is_lost.end()) return;
  Tape<T>& tape = a.tape();
  const auto batch_of = [&](const Var<T>& x) { return matrices_of(tape.node(x.index()).shape); };
  BufferPool& pool = tape.sweep_memory().pool;
  const MatrixBatch shape = batch_of(a);
  const MatrixBatch given = batch_of(b);
  const PackedInput<T> matrices(pool, tape.node(a.index()).value, shape);
  const PackedInput<T> right(pool, tape.node(b.index()).value, given);
  const PackedOutput<T> found(pool, solution.value, batch_of(solution.var));
  const PackedOutput<T> unread(pool, other.value, batch_of(other.var));
  found.load(solution.value);
  unread.load(other.value);
  for (std::size_t k = 0; k < is_lost.size(); ++k) {
    const auto i = static_cast<Index>(k);
    if (!is_lost[k] || !has_only_finite(matrices[i], shape.size())) continue;
    std::vector<T> own(matrices[i], matrices[i] + shape.size());
    solve_by_singular_values(shape, own, right[i], given.columns, found[i]);
    std::fill_n(unread[i], batch_of(other.var).size(), T(0));
  }
  found.unpack();
  unread.unpack();
}

// Of matrices a [..., m, n] and b [..., m, k] with the same leading axes.
template <class T>
Var<T> least_squares(const Var<T>& a, const Var<T>& b) {
  Tape<T>& tape = a.tape();
  const NodeShape shape_a = tape.node(a.index()).shape;
  const NodeShape shape_b = tape.node(b.index()).shape;
  const auto [count, m, n] = matrices_of(shape_a);
  const Index columns = matrices_of(shape_b).columns;
  const NodeShape other = tape.keep_shape(batch_shape(shape_a, n, columns));
  const Var<T> zeros = tape.filled(other, T(0));
  if (m >= n) {
    const Factors<T>* factors = factor(a);
    const auto [r, x] = Augmented<T>::apply(a, b, zeros, factors);
    write_lost_values(x, r, a, b, *factors);
    return x.var;
  }
  const Var<T> turned = transposed(a);
  const Factors<T>* factors = factor(turned);
  const auto [r, x] = Augmented<T>::apply(turned, zeros, b, factors);
  write_lost_values(r, x, a, b, *factors);
  return r.var;
}

}  // namespace

template <class T>
Var<T> lstsq(const Var<T>& a, const Var<T>& b) {
  constexpr const char* name = "lstsq";
  const NodeShape matrices = a.tape().node(a, name).shape;
  const NodeShape given = a.tape().node(b, name).shape;
  const bool is_vector = given.rank == 1;
  const bool fits = matrices.rank >= 2 && given.rank >= 1 &&
                    given[given.rank - (is_vector ? 1 : 2)] == matrices[matrices.rank - 2];
  require(fits, name, [&] {
    return "a [..., m, n] and b [..., m, k] or [m] are needed, got " + to_string(matrices.shape()) +
           " and " + to_string(given.shape());
  });
  const Var<T> columns = is_vector ? reshape(b, {given[0], 1}) : b;
  const auto [left, right] = with_common_batch(a, columns, name);
  const Var<T> x = least_squares(left, right);
  if (!is_vector) return x;
  const Shape shape = x.shape();
  return reshape(x, shape.without_axis(shape.rank() - 1));
}

template <class T>
Var<T> pinv(const Var<T>& a) {
  const NodeShape shape = a.tape().node(a, "pinv").shape;
  require(shape.rank >= 2, "pinv",
          [&] { return "matrices [..., m, n] are needed, got shape " + to_string(shape.shape()); });
  const Index m = shape[shape.rank - 2];
  const Var<T> identity = a.tape().input(Tensor<T>::identity(m));
  return least_squares(a, broadcast_to(identity, batch_shape(shape, m, m)));
}

#define FJORD_INSTANTIATE(T)                           \
  template Var<T> lstsq(const Var<T>&, const Var<T>&); \
  template Var<T> pinv(const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
