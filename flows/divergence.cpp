#include "fjord/flows/divergence.hpp"

#include <algorithm>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/sweep.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord::flows {

template <class T>
Var<T> estimated_divergence(const Var<T>& x, const Var<T>& y, const Var<T>& probes) {
  const Shape shape = x.shape();
  require(shape.rank() == 2 && y.shape() == shape, "divergence", [&] {
    return "x and y [B, D] are needed, got " + to_string(shape) + " and " + to_string(y.shape());
  });
  const auto count = static_cast<double>(probes.shape()[1]);
  return sum(pushforward(x, probes, y) * probes, {1, 2}) * static_cast<T>(1 / count);
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
Var<T> draw_probes(const Var<T>& x, Index count, Probe probe, const RandomKey& random,
                   std::uint64_t first_row) {
  const Shape shape = x.shape();
  const Index rows = shape[0];
  const Index width = count * shape[1];
  Tape<T>& tape = x.tape();
  const NodeShape stacked = tape.keep_shape({rows, count, shape[1]});
  T* drawn = tape.new_values(stacked.size);
  const std::span<T> numbers(drawn, static_cast<std::size_t>(stacked.size));
  const std::uint64_t first = first_row * static_cast<std::uint64_t>(width);
  if (probe == Probe::rademacher) {
    random.rademacher(numbers, first);
  } else {
    random.normal(numbers, first);
  }
  // Drawn row by row, kept column-major.
  return tape.borrow(TensorView<T>(drawn, stacked.shape(), Order::c));
}

#define FJORD_INSTANTIATE(T)                                                         \
  template Var<T> estimated_divergence(const Var<T>&, const Var<T>&, const Var<T>&); \
  template Var<T> divergence_values(const Var<T>&, const Var<T>&, Index);            \
  template Var<T> draw_probes(const Var<T>&, Index, Probe, const RandomKey&, std::uint64_t);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::flows
