#include "fjord/autodiff/rules/matrix.hpp"

#include <algorithm>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/simd.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/transpose.hpp"

namespace fjord::rules {

using namespace kernels;

namespace {

// A batch of matrices as it stands in memory, or their transposes.
template <class T>
struct BatchOperand {
  const T* data;
  MatrixBatch layout;
  bool transposed;

  Index rows() const { return transposed ? layout.columns : layout.rows; }

  Index columns() const { return transposed ? layout.rows : layout.columns; }

  // The runs over the batch of entry (i, j).
  const T* entry(Index i, Index j) const {
    return data + layout.count * (transposed ? j + layout.rows * i : i + layout.rows * j);
  }
};

// For small matrices, entry by entry for the whole batch.
template <class T>
void multiply_entries(const BatchOperand<T>& a, const BatchOperand<T>& b, T* c, bool fresh) {
  const Index count = a.layout.count;
  constexpr auto times = [](const auto& x, const auto& y) { return x * y; };
  for (Index j = 0; j < b.columns(); ++j) {
    for (Index i = 0; i < a.rows(); ++i) {
      T* out = c + count * (i + a.rows() * j);
      if (fresh && a.columns() == 0) std::fill_n(out, count, T(0));
      for (Index l = 0; l < a.columns(); ++l) {
        simd::accumulate(count, out, fresh && l == 0, times, a.entry(i, l), b.entry(l, j));
      }
    }
  }
}

// How many matrices to pack at a time, given how many numbers are packed for each: whole cache
// lines of them that stay in the second cache, and all where not even one line's does.
template <class T>
Index matrices_at_once(Index numbers, Index count) {
  constexpr Index line = 64 / static_cast<Index>(sizeof(T));
  constexpr Index cached = (Index{1} << 20) / static_cast<Index>(sizeof(T));
  const Index lines = cached / std::max<Index>(1, numbers * line);
  return lines == 0 ? count : std::min(count, lines * line);
}

template <class T>
void multiply_batch(record::BufferPool& pool, const BatchOperand<T>& a, const BatchOperand<T>& b,
                    T* c, bool fresh) {
  const Index count = a.layout.count;
  const Index m = a.rows();
  const Index n = b.columns();
  const Index k = a.columns();
  constexpr Index small = 8;  // above it, packing costs less than reading every entry `small` times
  if (std::max({m, n, k}) <= small && count >= simd::width<T>) {
    multiply_entries(a, b, c, fresh);
    return;
  }
  const auto product = [&](const T* left, const T* right, T* out, Start start) {
    multiply<T>({m, n, k}, {left, a.layout.rows, a.transposed},
                {right, b.layout.rows, b.transposed}, out, start);
  };
  if (count == 1) {
    product(a.data, b.data, c, fresh ? Start::zero : Start::present);
    return;
  }
  const Index at_once = matrices_at_once<T>(a.layout.size() + b.layout.size() + m * n, count);
  const MatrixBatch layout{count, m, n};
  const PoolMemory<T> left(pool, at_once * a.layout.size());
  const PoolMemory<T> right(pool, at_once * b.layout.size());
  const PoolMemory<T> out(pool, at_once * layout.size());
  for (Index first = 0; first < count; first += at_once) {
    const BatchPart part{first, std::min(at_once, count - first)};
    pack(a.data, a.layout, part, left.data());
    pack(b.data, b.layout, part, right.data());
    for (Index i = 0; i < part.count; ++i) {
      product(left.data() + i * a.layout.size(), right.data() + i * b.layout.size(),
              out.data() + i * layout.size(), Start::zero);
    }
    unpack<T>(out.data(), layout, part, c, !fresh);
  }
}

// The same of derivatives.
template <class T>
void multiply_moving(record::BufferPool& pool, const BatchOperand<T>& a, const BatchOperand<T>& b,
                     Moving moving, const Target<T>& c) {
  if (!c) return;
  const auto product = [&](T* out, bool fresh) {
    multiply_batch(pool, a, b, out, fresh);
    if (fresh) clear_signs(out, a.layout.count * a.rows() * b.columns());
  };
  const Factors<T> factors{rows_of(a.data, a.layout, a.transposed),
                           rows_of(b.data, b.layout, !b.transposed), moving};
  multiply_derivatives(pool, factors, c.data, c.fresh, product);
}

template <class T>
BatchOperand<T> batch_operand(const Node<T>& node, bool transposed) {
  return {node.value, matrices_of(node.shape), transposed};
}

// op(A) op(B) of batches of the same shape. Closed under derivatives.
template <class T>
struct BatchProduct {
  static Var<T> apply(const Var<T>& a, const Var<T>& b, Transposes flags) {
    Tape<T>& tape = a.tape();
    const Node<T> in_a = tape.node(a, "matmul");
    const Node<T> in_b = tape.node(b, "matmul");
    const BatchOperand<T> left = batch_operand(in_a, flags.a);
    const BatchOperand<T> right = batch_operand(in_b, flags.b);
    const NodeShape shape = tape.keep_shape(batch_shape(in_a.shape, left.rows(), right.columns()));
    const auto [var, value] = append_operation(tape, row, {a, b}, shape, tape.keep(flags));
    if (flags.moving.a || flags.moving.b) {
      multiply_moving<T>(pool_of(tape), left, right, flags.moving, {value, true});
    } else {
      multiply_batch(pool_of(tape), left, right, value, true);
    }
    return var;
  }

  static void pullback(Reverse<T>& rule) { pull_product(rule, apply); }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    push_product(rule, apply);
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const auto [ta, tb, moving] = k.template attributes<Transposes>();
    const Node<T> a = k.input_node(0);
    const Node<T> b = k.input_node(1);
    const MatrixBatch shape = matrices_of(k.node().shape);
    const auto g = [&](bool t) { return BatchOperand<T>{k.cotangent(), shape, t}; };
    record::BufferPool& pool = pool_of(k.tape());
    if (ta) {
      multiply_moving(pool, batch_operand(b, tb), g(true), {moving.b, true}, k.target(0));
    } else {
      multiply_moving(pool, g(false), batch_operand(b, !tb), {true, moving.b}, k.target(0));
    }
    if (tb) {
      multiply_moving(pool, g(true), batch_operand(a, ta), {true, moving.a}, k.target(1));
    } else {
      multiply_moving(pool, batch_operand(a, !ta), g(false), {moving.a, true}, k.target(1));
    }
  }

  static constexpr Operation<T> row{"matmul", pullback, pushforward, pullback_values};
};

struct Part {
  bool lower;
  Index k;
  bool is_derivative;  // whose zeros are masked

  // The rows of column j that stay.
  std::pair<Index, Index> rows(Index j, Index count) const {
    return lower ? std::pair(std::clamp(j - k, Index{0}, count), count)
                 : std::pair(Index{0}, std::clamp(j - k + 1, Index{0}, count));
  }
};

// One triangle, and zeros; its own transpose.
template <class T>
struct Triangle {
  static Var<T> apply(const Var<T>& x, const Part& part) {
    Tape<T>& tape = x.tape();
    const Node<T> in = tape.node(x, "triangle");
    const auto [var, value] = append_operation(tape, row, {x}, in.shape, tape.keep(part));
    const MatrixBatch batch = matrices_of(in.shape);
    std::fill_n(value, in.shape.size, part.is_derivative ? simd::masked_zero<T> : T(0));
    for_each_run(batch, part, [&, value = value](Index at, Index count) {
      std::copy_n(in.value + at, count, value + at);
    });
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    rule.add(0, apply(rule.cotangent(), of_derivatives(rule)));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    rule.set(apply(rule.tangent(0), of_derivatives(rule)));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const Target<T> target = k.target(0);
    if (!target) return;
    if (target.fresh) std::fill_n(target.data, k.size(), simd::masked_zero<T>);
    for_each_run(matrices_of(k.node().shape), k.template attributes<Part>(),
                 [&](Index at, Index count) {
                   simd::accumulate(count, target.data + at, false, simd::same, k.cotangent() + at);
                 });
  }

  static constexpr Operation<T> row{"triangle", pullback, pushforward, pullback_values};

 private:
  static Part of_derivatives(const RuleNode<T>& rule) {
    const auto& part = rule.template attributes<Part>();
    return {part.lower, part.k, true};
  }

  template <class Body>
  static void for_each_run(const MatrixBatch& batch, const Part& part, Body body) {
    for (Index j = 0; j < batch.columns; ++j) {
      const auto [first, end] = part.rows(j, batch.rows);
      body(batch.count * (batch.rows * j + first), batch.count * (end - first));
    }
  }
};

}  // namespace

Shape batch_shape(const NodeShape& x, Index rows, Index columns) {
  std::array<Index, Shape::max_rank> sizes{};
  std::copy_n(x.sizes, x.rank - 2, sizes.begin());
  sizes[x.rank - 2] = rows;
  sizes[x.rank - 1] = columns;
  return Shape(std::span(sizes.data(), x.rank));
}

void fail_for_matrix(const char* op, Index k, Index count, const char* what) {
  const std::string which =
      count == 1 ? "the matrix" : "matrix " + std::to_string(k) + " of " + std::to_string(count);
  fail_numerically(op, which + " is " + what);
}

template <class T>
Var<T> matrix_product(const Var<T>& a, const Var<T>& b, Transposes transposes) {
  return a.shape().rank() == 2 ? product(a, b, transposes)
                               : BatchProduct<T>::apply(a, b, transposes);
}

template <class T>
Var<T> transposed(const Var<T>& x) {
  return swap_axes(x, -2, -1);
}

template <class T>
Var<T> lower_triangle(const Var<T>& x, Index k) {
  return Triangle<T>::apply(x, {true, k, false});
}

template <class T>
Var<T> upper_triangle(const Var<T>& x, Index k) {
  return Triangle<T>::apply(x, {false, k, false});
}

template <class T>
Var<T> lower_part(const Var<T>& g, Index k) {
  return Triangle<T>::apply(g, {true, k, true});
}

template <class T>
Var<T> upper_part(const Var<T>& g, Index k) {
  return Triangle<T>::apply(g, {false, k, true});
}

template <class T>
Var<T> mirror_lower_part(const Var<T>& g) {
  return lower_part(g, 0) + transposed(lower_part(g, -1));
}

template <class T>
Var<T> mirror_lower(const Var<T>& x) {
  return lower_triangle(x) + transposed(lower_triangle(x, -1));
}

template <class T>
std::pair<Var<T>, Var<T>> with_common_batch(const Var<T>& a, const Var<T>& b, const char* op) {
  const Shape shape_a = a.shape();
  const Shape shape_b = b.shape();
  const auto leading = [](const Shape& s) { return Shape(std::span(s.begin(), s.rank() - 2)); };
  const Shape batch = broadcast_shapes(leading(shape_a), leading(shape_b), op);
  const auto stretched = [&](const Var<T>& x, const Shape& shape) {
    const Shape whole = batch.with_axis(batch.rank(), shape[shape.rank() - 2])
                            .with_axis(batch.rank() + 1, shape[shape.rank() - 1]);
    return broadcast_to(x, whole);
  };
  const Var<T> first = stretched(a, shape_a);
  return {first, stretched(b, shape_b)};
}

template <class T>
Var<T> identity_like(const Var<T>& like) {
  const Shape shape = like.shape();
  const Index n = shape[shape.rank() - 1];
  Tape<T>& tape = like.tape();
  T* numbers = tape.new_values(n * n);
  std::fill_n(numbers, n * n, T(0));
  for (Index i = 0; i < n; ++i) numbers[i * n + i] = T(1);
  return broadcast_to(tape.borrow(tape.keep_shape({n, n}), numbers), shape);
}

template <class T>
MatrixBatch square_matrices(const Var<T>& x, const char* op) {
  const NodeShape shape = x.tape().node(x, op).shape;
  require(shape.rank >= 2 && shape[shape.rank - 2] == shape[shape.rank - 1], op, [&] {
    return "square matrices [..., n, n] are needed, got shape " + to_string(shape.shape());
  });
  return matrices_of(shape);
}

#define FJORD_INSTANTIATE(T)                                                                       \
  template Var<T> matrix_product(const Var<T>&, const Var<T>&, Transposes);                        \
  template Var<T> transposed(const Var<T>&);                                                       \
  template Var<T> lower_triangle(const Var<T>&, Index);                                            \
  template Var<T> upper_triangle(const Var<T>&, Index);                                            \
  template Var<T> lower_part(const Var<T>&, Index);                                                \
  template Var<T> upper_part(const Var<T>&, Index);                                                \
  template Var<T> mirror_lower_part(const Var<T>&);                                                \
  template Var<T> mirror_lower(const Var<T>&);                                                     \
  template std::pair<Var<T>, Var<T>> with_common_batch(const Var<T>&, const Var<T>&, const char*); \
  template Var<T> identity_like(const Var<T>&);                                                    \
  template MatrixBatch square_matrices(const Var<T>&, const char*);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::rules
