#include "fjord/autodiff/ops/matrix_shape.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/rules/matrix.hpp"
#include "fjord/autodiff/rules/pick.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

// Diagonal k of a matrix of so many rows, as picks from its column-major memory.
template <class T>
Picks diagonal(Tape<T>& tape, Index rows, Index columns, Index k) {
  const Index above = std::max<Index>(k, 0);
  const Index below = std::max<Index>(-k, 0);
  const Index count = std::max<Index>(std::min(rows - below, columns - above), 0);
  auto* places = tape.template new_records<Index>(static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i) places[i] = (i + above) * rows + i + below;
  return {1, 1, rows * columns, count, places, -1};
}

template <class T>
void check_matrices(const Var<T>& x, const char* op) {
  const NodeShape shape = x.tape().node(x, op).shape;
  require(shape.rank >= 2, op,
          [&] { return "two axes at least are needed, got shape " + to_string(shape.shape()); });
}

Shape filled_up(const Shape& shape, std::size_t rank) {
  Shape result = shape;
  while (result.rank() < rank) result = result.with_axis(0, 1);
  return result;
}

}  // namespace

template <class T>
Var<T> diag(const Var<T>& x, Index k) {
  Tape<T>& tape = x.tape();
  const NodeShape shape = tape.node(x, "diag").shape;
  require(shape.rank == 1 || shape.rank == 2, "diag",
          [&] { return "one or two axes are needed, got shape " + to_string(shape.shape()); });
  if (shape.rank == 1) {
    const Index n = shape[0] + std::abs(k);
    return spread(x, diagonal(tape, n, n, k), tape.keep_shape({n, n}), T(0));
  }
  const Picks picks = diagonal(tape, shape[0], shape[1], k);
  return pick(x, picks, tape.keep_shape({picks.to}));
}

template <class T>
Var<T> tril(const Var<T>& x, Index k) {
  check_matrices(x, "tril");
  return lower_triangle(x, k);
}

template <class T>
Var<T> triu(const Var<T>& x, Index k) {
  check_matrices(x, "triu");
  return upper_triangle(x, k);
}

template <class T>
Var<T> outer(const Var<T>& a, const Var<T>& b) {
  return reshape(a, {a.shape().size(), 1}) * reshape(b, {1, b.shape().size()});
}

template <class T>
Var<T> kron(const Var<T>& a, const Var<T>& b) {
  const std::size_t rank = std::max(a.shape().rank(), b.shape().rank());
  require(2 * rank <= Shape::max_rank, "kron", [&] {
    return "at most " + std::to_string(Shape::max_rank / 2) + " axes are possible, got " +
           std::to_string(rank);
  });
  // Each axis is a pair while the product is taken: of a outside, of b inside.
  Shape of_a = filled_up(a.shape(), rank);
  Shape of_b = filled_up(b.shape(), rank);
  Shape result = of_a;
  for (std::size_t k = rank; k-- > 0;) {
    result = result.without_axis(k).with_axis(k, of_a[k] * of_b[k]);
    of_a = of_a.with_axis(k + 1, 1);
    of_b = of_b.with_axis(k, 1);
  }
  return reshape(reshape(a, of_a) * reshape(b, of_b), result);
}

#define FJORD_INSTANTIATE(T)                           \
  template Var<T> diag(const Var<T>&, Index);          \
  template Var<T> tril(const Var<T>&, Index);          \
  template Var<T> triu(const Var<T>&, Index);          \
  template Var<T> outer(const Var<T>&, const Var<T>&); \
  template Var<T> kron(const Var<T>&, const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
