#include "fjord/flows/divergence.hpp"

#include <algorithm>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/factor.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord::flows {

namespace {

template <class T>
void check_shapes(const Var<T>& x, const Var<T>& y) {
  const Shape shape = x.shape();
  require(shape.rank() == 2 && y.shape() == shape, "divergence", [&] {
    return "x and y [B, D] are needed, got " + to_string(shape) + " and " + to_string(y.shape());
  });
}

// Numbers of directions [B, K, D] as numbers of rows.
template <class T>
Var<T> weighted_sum(const Var<T>& numbers, Index summed) {
  const Index count = numbers.shape()[1];
  const auto sum_of = [&](const Var<T>& part) { return sum(part, {1, 2}); };
  if (summed == count) return sum_of(numbers);
  const T weight = static_cast<T>(1 / static_cast<double>(count - summed));
  if (summed == 0) return sum_of(numbers) * weight;
  return sum_of(slice(numbers, 1, 0, summed)) + sum_of(slice(numbers, 1, summed, count)) * weight;
}

// Orthonormal directions [B, min(K, D), D] that span the products with a sketch [B, K, D]: a leaf.
template <class T>
Var<T> basis_of_products(const Var<T>& x, const Var<T>& y, const Var<T>& sketch) {
  const Shape shape = sketch.shape();
  Tape<T>& tape = x.tape();
  const NodeShape kept = tape.keep_shape({shape[0], std::min(shape[1], shape[2]), shape[2]});
  T* numbers = tape.new_values(kept.size);
  {
    const RewindScope<T> scope(tape);
    const Var<T> basis = swap_axes(qr(swap_axes(pushforward(x, sketch, y), 1, 2)).q, 1, 2);
    std::copy_n(basis.value().data(), kept.size, numbers);
  }
  return tape.borrow(kept, numbers);
}

}  // namespace

template <class T>
Var<T> divergence_of(const JacobianProducts<T>& jacobian) {
  if (jacobian.summed == jacobian.products.shape()[1]) return trace(jacobian.products);
  return weighted_sum(jacobian.products * jacobian.directions, jacobian.summed);
}

template <class T>
Var<T> squared_norm_of(const JacobianProducts<T>& jacobian) {
  return weighted_sum(square(jacobian.products), jacobian.summed);
}

template <class T>
JacobianProducts<T> unit_products(const Var<T>& x, const Var<T>& y, const Var<T>& units) {
  check_shapes(x, y);
  require(units.shape() == stacked_shape(x.shape(), x.shape()[1]), "divergence",
          [&] { return "units [B, D, D] are needed, got " + to_string(units.shape()); });
  return {units, pushforward(x, units, y), units.shape()[1]};
}

template <class T>
JacobianProducts<T> hutchinson_products(const Var<T>& x, const Var<T>& y, const Var<T>& probes) {
  check_shapes(x, y);
  return {probes, pushforward(x, probes, y), 0};
}

template <class T>
JacobianProducts<T> bottleneck_products(const Var<T>& x, const Var<T>& hidden, const Var<T>& y,
                                        const Var<T>& probes) {
  check_shapes(x, y);
  return {probes, pushforward(x, pushforward(hidden, probes, y), hidden), 0};
}

template <class T>
JacobianProducts<T> hutch_plus_plus_products(const Var<T>& x, const Var<T>& y,
                                             const Var<T>& probes) {
  check_shapes(x, y);
  const Index half = probes.shape()[1] / 2;
  const Var<T> basis = basis_of_products(x, y, slice(probes, 1, 0, half));
  const Var<T> rest = slice(probes, 1, half, 2 * half);
  const Var<T> outside = rest - matmul(matmul(rest, swap_axes(basis, 1, 2)), basis);
  const Var<T> directions = concatenate<T>({basis, outside}, 1);
  return {directions, pushforward(x, directions, y), basis.shape()[1]};
}

template <class T>
JacobianProducts<T> jacobian_products(Trace trace, const Var<T>& x, const Var<T>& y,
                                      const Var<T>& directions) {
  if (trace == Trace::exact) return unit_products(x, y, directions);
  return trace == Trace::hutchinson ? hutchinson_products(x, y, directions)
                                    : hutch_plus_plus_products(x, y, directions);
}

void check_probes(Trace trace, Index probes) {
  require(probes > 0, "divergence",
          [&] { return "probes must be positive, got " + std::to_string(probes); });
  require(trace != Trace::hutch_plus_plus || probes % 3 == 0, "divergence", [&] {
    return "probes of Hutch++ must be a multiple of 3, got " + std::to_string(probes);
  });
}

template <class T>
Var<T> divergence_values(const Var<T>& x, const Var<T>& y, Index block) {
  const Shape shape = x.shape();
  const Index rows = shape[0];
  Tape<T>& tape = x.tape();
  T* sums = tape.new_values(rows);
  std::fill_n(sums, rows, T(0));
  for (Index first = 0; first < shape[1]; first += block) {
    const RewindScope<T> scope(tape);
    const Index count = std::min(block, shape[1] - first);
    const NodeShape stacked = tape.keep_shape({rows, count, shape[1]});
    T* units = tape.new_values(stacked.size);
    std::fill_n(units, stacked.size, T(0));
    for (Index k = 0; k < count; ++k)
      std::fill_n(units + ((first + k) * count + k) * rows, rows, T(1));
    const Var<T> moved = pushforward(x, tape.borrow(stacked, units), y);
    const T* slopes = moved.value().data();
    for (Index k = 0; k < count; ++k) {
      for (Index row = 0; row < rows; ++row)
        sums[row] += slopes[((first + k) * count + k) * rows + row];
    }
  }
  return tape.borrow(tape.keep_shape({rows}), sums);
}

template <class T>
Var<T> draw_probes(Tape<T>& tape, const Shape& stacked, Probe probe, const RandomKey& random,
                   std::uint64_t first_row) {
  T* drawn = tape.new_values(stacked.size());
  const std::span<T> numbers(drawn, static_cast<std::size_t>(stacked.size()));
  const std::uint64_t first = first_row * static_cast<std::uint64_t>(stacked[1] * stacked[2]);
  if (probe == Probe::rademacher) {
    random.rademacher(numbers, first);
  } else {
    random.normal(numbers, first);
  }
  // Drawn row by row, kept column-major.
  return tape.borrow(TensorView<T>(drawn, stacked, Order::c));
}

template <class T>
Var<T> draw_probes(const Var<T>& x, Index count, Probe probe, const RandomKey& random,
                   std::uint64_t first_row) {
  const Shape shape = x.shape();
  return draw_probes(x.tape(), {shape[0], count, shape[1]}, probe, random, first_row);
}

template <class T>
Var<T> directions_for(Trace trace, const Var<T>& x, Index products, Probe probe,
                      const RandomKey& random, std::uint64_t first_row) {
  if (trace == Trace::exact) return unit_tangents(x);
  if (trace == Trace::hutchinson) return draw_probes(x, products, probe, random, first_row);
  // Signs would do for a large D, but of a small one they are often linearly dependent.
  return concatenate({draw_probes(x, products / 3, Probe::gaussian, random.fold(1), first_row),
                      draw_probes(x, products / 3, probe, random, first_row)},
                     1);
}

#define FJORD_INSTANTIATE(T)                                                                     \
  template Var<T> divergence_of(const JacobianProducts<T>&);                                     \
  template Var<T> squared_norm_of(const JacobianProducts<T>&);                                   \
  template JacobianProducts<T> unit_products(const Var<T>&, const Var<T>&, const Var<T>&);       \
  template JacobianProducts<T> hutchinson_products(const Var<T>&, const Var<T>&, const Var<T>&); \
  template JacobianProducts<T> hutch_plus_plus_products(const Var<T>&, const Var<T>&,            \
                                                        const Var<T>&);                          \
  template JacobianProducts<T> jacobian_products(Trace, const Var<T>&, const Var<T>&,            \
                                                 const Var<T>&);                                 \
  template JacobianProducts<T> bottleneck_products(const Var<T>&, const Var<T>&, const Var<T>&,  \
                                                   const Var<T>&);                               \
  template Var<T> draw_probes(Tape<T>&, const Shape&, Probe, const RandomKey&, std::uint64_t);   \
  template Var<T> divergence_values(const Var<T>&, const Var<T>&, Index);                        \
  template Var<T> draw_probes(const Var<T>&, Index, Probe, const RandomKey&, std::uint64_t);     \
  template Var<T> directions_for(Trace, const Var<T>&, Index, Probe, const RandomKey&,           \
                                 std::uint64_t);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::flows
