#include "fjord/autodiff/ops/solve.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
#include "fjord/autodiff/rules/factored.hpp"

namespace fjord {

using namespace kernels;
using namespace record;
using namespace rules;

namespace {

struct SolveForm {
  bool transposed;
  bool is_derivative;  // of b
};

// The solution of op(A) X = B for a node that keeps the LU factors of A.
template <class T>
struct Solve {
  static Var<T> apply(const Var<T>& a, const Var<T>& b, const SolveForm& form) {
    Tape<T>& tape = a.tape();
    const Node<T> in_a = tape.node(a, "solve");
    const Node<T> in_b = tape.node(b, "solve");
    const auto [var, value] = append_operation(tape, row, {a, b}, in_b.shape, tape.keep(form));
    const MatrixBatch batch = matrices_of(in_b.shape);
    const auto [lu, pivots] = *static_cast<const LuFactors<T>*>(in_a.attributes);
    const PackedOutput<T> out(tape.sweep_memory().pool, value, batch);
    out.load(in_b.value);
    const Index n = batch.rows;
    for (Index k = 0; k < batch.count; ++k) {
      lapack::solve_lu(form.transposed, n, batch.columns, lu + k * n * n, pivots + k * n, out[k]);
    }
    out.unpack();
    if (form.is_derivative) {
      mark_solutions<T>(pool_of(tape), rows_of(in_b.value, batch, true),
                        rows_of<T>(value, batch, true), value);
    }
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    const auto [transposed, is_derivative] = rule.template attributes<SolveForm>();
    const Var<T> x = rule.output();
    const Var<T> g = apply(rule.input(0), rule.cotangent(), {!transposed, true});
    if (rule.wants(0)) {
      const Var<T> part = transposed ? matrix_product(x, g, {false, true, {is_derivative, true}})
                                     : matrix_product(g, x, {false, true, {true, is_derivative}});
      rule.add(0, negated(part));
    }
    if (rule.wants(1)) rule.add(1, g);
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const auto [transposed, is_derivative] = rule.template attributes<SolveForm>();
    Var<T> moved;
    if (!rule.tangent(0).is_empty()) {
      moved = matrix_product(rule.tangent(0), rule.output(),
                             {transposed, false, {true, is_derivative}});
    }
    rule.set(apply(rule.input(0), difference_of(rule.tangent(1), moved), {transposed, true}));
    return true;
  }

  static constexpr Operation<T> row{"solve", pullback, pushforward};
};

template <class T>
struct TriangularSolve {
  using Flags = lapack::TriangleFlags;

  struct Form {
    Flags flags;
    bool is_derivative;  // of b
  };

  static Var<T> apply(const Var<T>& a, const Var<T>& b, const Form& form) {
    const Flags& flags = form.flags;
    Tape<T>& tape = a.tape();
    const Node<T> in_a = tape.node(a, name);
    const Node<T> in_b = tape.node(b, name);
    const auto [var, value] = append_operation(tape, row, {a, b}, in_b.shape, tape.keep(form));
    const MatrixBatch batch = matrices_of(in_b.shape);
    BufferPool& pool = tape.sweep_memory().pool;
    const PackedInput<T> triangles(pool, in_a.value, matrices_of(in_a.shape));
    const PackedOutput<T> out(pool, value, batch);
    out.load(in_b.value);
    for (Index k = 0; k < batch.count; ++k) {
      lapack::solve_triangular(flags, batch.rows, batch.columns, triangles[k], out[k]);
    }
    out.unpack();
    if (form.is_derivative) {
      mark_solutions<T>(pool, rows_of(in_b.value, batch, !flags.right),
                        rows_of<T>(value, batch, !flags.right), value);
    }
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    const auto [flags, is_derivative] = rule.template attributes<Form>();
    const Var<T> x = rule.output();
    Flags back = flags;
    back.transposed = !flags.transposed;
    const Var<T> g = apply(rule.input(0), rule.cotangent(), {back, true});
    if (rule.wants(0)) {
      // Of op(A): -g X^T on the left, -X^T g on the right; of A the transpose of that.
      const bool g_first = flags.right == flags.transposed;
      const Transposes turn{
          flags.right, !flags.right, {g_first || is_derivative, !g_first || is_derivative}};
      const Var<T> part = g_first ? matrix_product(g, x, turn) : matrix_product(x, g, turn);
      rule.add(0, negated(read_part(part, flags)));
    }
    if (rule.wants(1)) rule.add(1, g);
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const auto [flags, is_derivative] = rule.template attributes<Form>();
    Var<T> moved;
    if (!rule.tangent(0).is_empty()) {
      const Var<T> da = read_part(rule.tangent(0), flags);
      const Var<T> x = rule.output();
      moved = flags.right ? matrix_product(x, da, {false, flags.transposed, {is_derivative, true}})
                          : matrix_product(da, x, {flags.transposed, false, {true, is_derivative}});
    }
    rule.set(apply(rule.input(0), difference_of(rule.tangent(1), moved), {flags, true}));
    return true;
  }

  static constexpr const char* name = "triangular_solve";
  static constexpr Operation<T> row{name, pullback, pushforward};

 private:
  static Var<T> read_part(const Var<T>& x, const Flags& flags) {
    const Index k = flags.unit ? 1 : 0;
    return flags.lower ? lower_part(x, -k) : upper_part(x, k);
  }
};

template <class T>
void check_diagonal(const Var<T>& a, const char* op) {
  const Node<T> node = a.tape().node(a.index());
  const MatrixBatch batch = matrices_of(node.shape);
  for (Index i = 0; i < batch.rows; ++i) {
    const T* diagonal = node.value + batch.count * i * (batch.rows + 1);
    const T* zero = std::find(diagonal, diagonal + batch.count, T(0));
    if (zero != diagonal + batch.count)
      fail_for_matrix(op, zero - diagonal, batch.count, "singular");
  }
}

// Solves for a batch of right-hand sides with one matrix, which is not repeated for each of them:
// they become columns, or rows on the right, of one.
template <class T, class F>
Var<T> solve_side_by_side(const Var<T>& a, const Var<T>& b, Side side, F solve_matrices) {
  const Shape shape = b.shape();
  const Index rows = shape[shape.rank() - 2];
  const Index columns = shape[shape.rank() - 1];
  Index count = 1;
  for (std::size_t k = 0; k + 2 < shape.rank(); ++k) count *= shape[k];
  if (side == Side::right)
    return reshape(solve_matrices(a, reshape(b, {count * rows, columns})), shape);
  const Var<T> rows_first = swap_axes(reshape(b, {count, rows, columns}), 0, 1);
  const Var<T> x = solve_matrices(a, reshape(rows_first, {rows, count * columns}));
  return reshape(swap_axes(reshape(x, {rows, count, columns}), 0, 1), shape);
}

// Checks and broadcasts the operands, solves by solve_matrices(a, b), and takes a vector for one
// column, or on the right for one row.
template <class T, class F>
Var<T> solve_for(const Var<T>& a, const Var<T>& b, Side side, const char* op, F solve_matrices) {
  const Index n = square_matrices(a, op).rows;
  const NodeShape given = a.tape().node(b, op).shape;
  const std::size_t axis = side == Side::left ? 2 : 1;
  const bool is_vector = given.rank == 1;
  const bool fits = is_vector ? given[0] == n : given.rank >= 2 && given[given.rank - axis] == n;
  require(fits, op, [&] {
    return std::string("b ") + (side == Side::left ? "[..., n, m]" : "[..., m, n]") +
           " or [n] is needed for a [..., n, n], got " + to_string(given.shape()) + " and " +
           to_string(a.shape());
  });
  const Var<T> matrices =
      !is_vector ? b : reshape(b, side == Side::left ? Shape{n, 1} : Shape{1, n});
  if (a.shape().rank() == 2 && given.rank > 2)
    return solve_side_by_side(a, matrices, side, solve_matrices);
  const auto [first, second] = with_common_batch(a, matrices, op);
  const Var<T> x = solve_matrices(first, second);
  const Shape shape = x.shape();
  return is_vector ? reshape(x, shape.without_axis(shape.rank() - (3 - axis))) : x;
}

}  // namespace

template <class T>
Var<T> rules::solve_factored(const Var<T>& a, const Var<T>& b, bool transposed) {
  return Solve<T>::apply(a, b, {transposed, false});
}

template <class T>
Var<T> rules::solve_derivative(const Var<T>& a, const Var<T>& b, bool transposed) {
  return Solve<T>::apply(a, b, {transposed, true});
}

template <class T>
Var<T> rules::solve_triangle(const Var<T>& a, const Var<T>& b, const lapack::TriangleFlags& flags) {
  return TriangularSolve<T>::apply(a, b, {flags, false});
}

template <class T>
Var<T> rules::solve_triangle_derivative(const Var<T>& a, const Var<T>& b,
                                        const lapack::TriangleFlags& flags) {
  return TriangularSolve<T>::apply(a, b, {flags, true});
}

template <class T>
Var<T> inverse(const Var<T>& a) {
  const Var<T> known = factored(a, "inverse");
  return solve_factored(known, identity_like(known));
}

template <class T>
Var<T> solve(const Var<T>& a, const Var<T>& b, Side side) {
  return solve_for(a, b, side, "solve", [&](const Var<T>& matrix, const Var<T>& given) {
    const Var<T> known = factored(matrix, "solve");
    return side == Side::left ? solve_factored(known, given)
                              : transposed(solve_factored(known, transposed(given), true));
  });
}

template <class T>
Var<T> lu_solve(const Var<T>& lu, const Var<T>& b) {
  return solve(lu, b);
}

template <class T>
Var<T> triangular_solve(const Var<T>& a, const Var<T>& b, const TriangularForm& form) {
  const lapack::TriangleFlags flags{form.lower, form.transposed, form.unit_diagonal,
                                    form.side == Side::right};
  constexpr const char* op = TriangularSolve<T>::name;
  return solve_for(a, b, form.side, op, [&](const Var<T>& matrix, const Var<T>& given) {
    if (!flags.unit) check_diagonal(matrix, op);
    return solve_triangle(matrix, given, flags);
  });
}

template <class T>
Var<T> cholesky_solve(const Var<T>& l, const Var<T>& b) {
  return solve_for(
      l, b, Side::left, "cholesky_solve", [](const Var<T>& matrix, const Var<T>& given) {
        check_diagonal(matrix, "cholesky_solve");
        return solve_triangle(matrix, solve_triangle(matrix, given, {}), {.transposed = true});
      });
}

#define FJORD_INSTANTIATE(T)                                                             \
  template Var<T> rules::solve_factored(const Var<T>&, const Var<T>&, bool);             \
  template Var<T> rules::solve_derivative(const Var<T>&, const Var<T>&, bool);           \
  template Var<T> rules::solve_triangle_derivative(const Var<T>&, const Var<T>&,         \
                                                   const lapack::TriangleFlags&);        \
  template Var<T> rules::solve_triangle(const Var<T>&, const Var<T>&,                    \
                                        const lapack::TriangleFlags&);                   \
  template Var<T> inverse(const Var<T>&);                                                \
  template Var<T> solve(const Var<T>&, const Var<T>&, Side);                             \
  template Var<T> lu_solve(const Var<T>&, const Var<T>&);                                \
  template Var<T> triangular_solve(const Var<T>&, const Var<T>&, const TriangularForm&); \
  template Var<T> cholesky_solve(const Var<T>&, const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
