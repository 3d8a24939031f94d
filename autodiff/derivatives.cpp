#include "fjord/autodiff/derivatives.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/simd.hpp"
#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/transpose.hpp"

namespace fjord {

using namespace record;

namespace {

template <class T>
Var<T> unit_seed(const Var<T>& x) {
  const NodeShape shape = x.tape().node(x, "derivative").shape;
  return x.tape().filled(shape, T(1));
}

Shape joined(const Shape& a, const Shape& b) {
  std::vector<Index> sizes(a.begin(), a.end());
  sizes.insert(sizes.end(), b.begin(), b.end());
  return Shape(sizes);
}

// One unit tangent for each entry of x, stacked: tangent k is 1 at entry k, in the order C.
template <class T>
Var<T> every_unit_tangent(const Var<T>& x) {
  const Shape shape = x.shape();
  const Index count = shape.size();
  const Index last = shape.rank() >= 2 ? shape[shape.rank() - 1] : 1;
  const Index slab = last == 0 ? 0 : count / last;
  Tape<T>& tape = x.tape();
  const NodeShape stacked = tape.keep_shape(stacked_shape(shape, count));
  T* numbers = tape.new_values(stacked.size);
  std::fill_n(numbers, stacked.size, kernels::simd::masked_zero<T>);
  std::array<Index, Shape::max_rank> at{};
  for (Index k = 0; k < count; ++k) {
    Index offset = 0;
    Index stride = 1;
    for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
      offset += at[axis] * stride;
      stride *= shape[axis];
    }
    numbers[(offset / slab * count + k) * slab + offset % slab] = T(1);
    for (std::size_t axis = shape.rank(); axis-- > 0 && ++at[axis] == shape[axis];) at[axis] = 0;
  }
  return tape.borrow(stacked, numbers);
}

// Stacked tangents with the axis that stacks them last.
template <class T>
Var<T> with_stack_last(const Var<T>& stacked) {
  return stacked.shape().rank() >= 3 ? swap_axes(stacked, -1, -2) : stacked;
}

}  // namespace

template <class T>
Var<T> gradient_seed(const Var<T>& y) {
  const NodeShape shape = y.tape().node(y, "gradient").shape;
  require(shape.size == 1, "gradient", [&] {
    return "the function must give one number, got shape " + to_string(shape.shape()) +
           "; sum it, or use a vector-Jacobian product";
  });
  return y.tape().filled(shape, T(1));
}

template <class T>
Vars<T> jacobians_of(const Var<T>& y, const Vars<T>& inputs) {
  const Shape outer = y.shape();
  Index entries = 0;
  for (const Var<T>& x : inputs) entries += x.shape().size();
  Vars<T> results;
  if (entries <= outer.size()) {
    for (const Var<T>& x : inputs) {
      const Var<T> columns = with_stack_last(pushforward(x, every_unit_tangent(x), y));
      results.push_back(reshape(columns, joined(outer, x.shape())));
    }
    return results;
  }
  // The reverse sweep is linear in its cotangent: tangents of that are stacked cotangents.
  const Var<T> cotangent = unit_seed(y);
  const Vars<T> swept = pullback<T>({y}, {cotangent}, inputs);
  const Vars<T> rows = pushforward<T>({cotangent}, {every_unit_tangent(cotangent)}, swept);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Shape inner = inputs[i].shape();
    const Var<T> columns = reshape(with_stack_last(rows[i]), {inner.size(), outer.size()});
    results.push_back(reshape(swap_axes(columns, 0, 1), joined(outer, inner)));
  }
  return results;
}

template <class T>
Var<T> jacobian_diagonal_of(const Var<T>& y, const Var<T>& x) {
  const Var<T> units = every_unit_tangent(x);
  // Selects, whatever stands off the diagonal.
  return sum(scale(units, pushforward(x, units, y)), {stacking_axis(x.shape().rank())});
}

template <class T>
Var<T> unit_tangents(const Var<T>& x) {
  const Shape shape = x.shape();
  require(shape.rank() == 2, "unit_tangents",
          [&] { return "rows [B, D] are needed, got " + to_string(shape); });
  const Index rows = shape[0];
  const Index dim = shape[1];
  Tape<T>& tape = x.tape();
  const NodeShape stacked = tape.keep_shape({rows, dim, dim});
  T* numbers = tape.new_values(stacked.size);
  std::fill_n(numbers, stacked.size, kernels::simd::masked_zero<T>);
  for (Index d = 0; d < dim; ++d) std::fill_n(numbers + (d * dim + d) * rows, rows, T(1));
  return tape.borrow(stacked, numbers);
}

template <class T>
Var<T> exact_divergence(const Var<T>& x, const Var<T>& y, const Var<T>& units) {
  const Shape shape = x.shape();
  require(shape.rank() == 2 && y.shape() == shape, "divergence", [&] {
    return "x and y [B, D] are needed, got " + to_string(shape) + " and " + to_string(y.shape());
  });
  require(units.shape() == stacked_shape(shape, shape[1]), "divergence",
          [&] { return "units [B, D, D] are needed, got " + to_string(units.shape()); });
  return trace(pushforward(x, units, y));
}

template <class T>
Var<T> derivative_of(const Var<T>& y, const Var<T>& x, int order) {
  const Shape in = x.shape();
  require(in.size() == 1 || y.shape() == in, "derivative", [&] {
    return "an elementwise function, or one of one number, is needed, got one from shape " +
           to_string(in) + " to " + to_string(y.shape());
  });
  require(order >= 0, "derivative",
          [&] { return "the order must be at least 0, got " + std::to_string(order); });
  const Var<T> one = unit_seed(x);
  Var<T> result = y;
  for (int i = 0; i < order; ++i) result = pushforward(x, one, result);
  return result;
}

#define FJORD_INSTANTIATE(T)                                                     \
  template Var<T> gradient_seed(const Var<T>&);                                  \
  template Vars<T> jacobians_of(const Var<T>&, const Vars<T>&);                  \
  template Var<T> jacobian_diagonal_of(const Var<T>&, const Var<T>&);            \
  template Var<T> unit_tangents(const Var<T>&);                                  \
  template Var<T> exact_divergence(const Var<T>&, const Var<T>&, const Var<T>&); \
  template Var<T> derivative_of(const Var<T>&, const Var<T>&, int);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
