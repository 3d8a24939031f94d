#include "fjord/flows/contraction_root.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/solve.hpp"
#include "fjord/flows/divergence.hpp"

namespace fjord::flows {
namespace {

// The rows on their way: each moves until it is near enough for Newton's method.
template <class T>
struct Rows {
  Index count;
  Index dim;
  T* x;         // [count, dim], column-major
  bool* ended;  // [count]
  double lipschitz;

  // Moves a row to `target` minus its image; it ends within sqrt(epsilon) of its root, or as NaN
  // where it has none.
  void move(Index row, const T* target, const T* image) {
    double moved = 0;
    double size = 0;
    for (Index d = 0; d < dim; ++d) {
      const Index i = d * count + row;
      const T next = target[i] - image[i];
      moved += std::pow(static_cast<double>(next - x[i]), 2);
      size += std::pow(static_cast<double>(next), 2);
      x[i] = next;
    }
    const double reach = std::sqrt(static_cast<double>(std::numeric_limits<T>::epsilon()));
    const double left = lipschitz / (1 - lipschitz) * std::sqrt(moved);
    ended[row] = std::isnan(left) || left <= reach * (1 + std::sqrt(size));
    if (!std::isnan(left)) return;
    for (Index d = 0; d < dim; ++d) x[d * count + row] = std::numeric_limits<T>::quiet_NaN();
  }
};

// Moves all rows that have not ended; returns whether all have now.
template <class T>
bool move_all(const RowMap<T>& g, const Var<T>& z, Rows<T>& rows) {
  Tape<T>& tape = z.tape();
  const RewindScope<T> scope(tape);
  const NodeShape shape = tape.node(z.index()).shape;
  T* places = tape.new_values(shape.size);
  std::copy_n(rows.x, shape.size, places);
  const Var<T> image = g(tape.borrow(shape, places));
  for (Index row = 0; row < rows.count; ++row) {
    if (!rows.ended[row]) rows.move(row, z.value().data(), image.value().data());
  }
  return std::all_of(rows.ended, rows.ended + rows.count, [](bool ended) { return ended; });
}

// From the first step on, which is no longer than what is left, that shrinks by the constant.
template <class T>
int most_moves(double lipschitz) {
  const double reach = std::sqrt(static_cast<double>(std::numeric_limits<T>::epsilon()));
  return 10 + static_cast<int>(std::log(reach * (1 - lipschitz)) / std::log(lipschitz));
}

}  // namespace

template <class T>
Var<T> residual_jacobians(const Var<T>& x, const Var<T>& image) {
  const Var<T> units = unit_tangents(x);
  return units + unit_products(x, image, units).products;
}

// Two recorded steps of Newton's method from the root give it its derivatives, as those of
// increasing_root do, and all of its digits.
template <class T>
Var<T> contraction_root(const RowMap<T>& g, const Var<T>& z, double lipschitz) {
  Tape<T>& tape = z.tape();
  const NodeShape shape = tape.node(z.index()).shape;
  const Index count = shape[0];
  const Index dim = shape[1];
  T* places = tape.new_values(shape.size);
  std::copy_n(z.value().data(), shape.size, places);
  bool* ended = tape.template new_records<bool>(static_cast<std::size_t>(count));
  std::fill_n(ended, count, false);
  Rows<T> rows{count, dim, places, ended, lipschitz};
  for (int move = 0; move < most_moves<T>(lipschitz); ++move) {
    if (move_all(g, z, rows)) break;
  }
  for (Index i = 0; i < shape.size; ++i) {
    if (!ended[i % count]) places[i] = std::numeric_limits<T>::quiet_NaN();
  }
  Var<T> x = tape.borrow(shape, places);
  for (int step = 0; step < 2; ++step) {
    const Var<T> image = g(x);
    const Var<T> rest = reshape(x + image - z, {count, 1, dim});
    x = x - reshape(solve(residual_jacobians(x, image), rest, Side::right), {count, dim});
  }
  return x;
}

#define FJORD_INSTANTIATE(T)                                                 \
  template Var<T> contraction_root(const RowMap<T>&, const Var<T>&, double); \
  template Var<T> residual_jacobians(const Var<T>&, const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::flows
