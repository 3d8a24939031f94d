#include "fjord/autodiff/ops/transpose.hpp"

#include <numeric>
#include <utility>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/simd.hpp"
#include "fjord/autodiff/operation.hpp"

namespace fjord {

using namespace kernels;
using namespace record;

namespace {

// Axis k of the result is axis axes[k] of the input.
struct Permutation {
  std::array<std::size_t, Shape::max_rank> axes;

  Permutation inverse(std::size_t rank) const {
    Permutation result{};
    for (std::size_t k = 0; k < rank; ++k) result.axes[axes[k]] = k;
    return result;
  }
};

// Column-major memory of `shape`, seen with its axes reordered.
template <class T>
TensorView<T> reordered(const T* data, const NodeShape& shape, const Permutation& permutation) {
  const TensorView<T> in(data, shape.shape(), Order::column_major);
  std::array<Index, Shape::max_rank> sizes{};
  std::array<Index, Shape::max_rank> strides{};
  for (std::size_t k = 0; k < shape.rank; ++k) {
    sizes[k] = shape[permutation.axes[k]];
    strides[k] = in.stride(permutation.axes[k]);
  }
  return TensorView<T>(data, Shape(std::span<const Index>(sizes.data(), shape.rank)),
                       std::span<const Index>(strides.data(), shape.rank));
}

template <class T>
struct Transpose {
  static Var<T> apply(const Var<T>& x, const Permutation& permutation) {
    Tape<T>& tape = x.tape();
    const Node<T> in = tape.node(x, "transpose");
    const TensorView<T> view = reordered(in.value, in.shape, permutation);
    const auto [var, value] =
        append_operation(tape, row, {x}, tape.keep_shape(view.shape()), tape.keep(permutation));
    view.copy_to(value, Order::column_major);
    return var;
  }

  static void pullback(Reverse<T>& rule) { rule.add(0, apply(rule.cotangent(), inverse(rule))); }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    rule.set(apply(rule.tangent(0), rule.template attributes<Permutation>()));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const Target<T> target = k.target(0);
    if (!target) return;
    const TensorView<T> g = reordered(k.cotangent(), k.node().shape, inverse(k));
    if (target.fresh) {
      g.copy_to(target.data, Order::column_major);
      return;
    }
    T* copy = k.take(k.size());
    g.copy_to(copy, Order::column_major);
    simd::accumulate(k.size(), target.data, false, simd::same, static_cast<const T*>(copy));
    k.give_back(copy, k.size());
  }

  static Permutation inverse(const RuleNode<T>& rule) {
    return rule.template attributes<Permutation>().inverse(rule.node().shape.rank);
  }

  static constexpr Operation<T> row{"transpose", pullback, pushforward, pullback_values};
};

Permutation same_order(std::size_t rank) {
  Permutation permutation{};
  std::iota(permutation.axes.begin(), permutation.axes.begin() + rank, std::size_t{0});
  return permutation;
}

}  // namespace

template <class T>
Var<T> swap_axes(const Var<T>& x, Index a, Index b) {
  const std::size_t rank = x.shape().rank();
  Permutation permutation = same_order(rank);
  std::swap(permutation.axes[normalized_axis(a, rank, "swap_axes")],
            permutation.axes[normalized_axis(b, rank, "swap_axes")]);
  return Transpose<T>::apply(x, permutation);
}

template <class T>
Var<T> transpose(const Var<T>& x, std::span<const Index> axes) {
  const std::size_t rank = x.shape().rank();
  std::array<bool, Shape::max_rank> named{};
  Permutation permutation{};
  std::size_t k = 0;
  for (const Index axis : axes) {
    permutation.axes[k] = normalized_axis(axis, rank, "transpose");
    require(!std::exchange(named[permutation.axes[k++]], true), "transpose",
            [&] { return "axis " + std::to_string(axis) + " is named twice"; });
  }
  require(k == rank, "transpose", [&] {
    return "each of " + std::to_string(rank) + " axes must be named, got " + std::to_string(k);
  });
  return Transpose<T>::apply(x, permutation);
}

template <class T>
Var<T> transpose(const Var<T>& x) {
  const std::size_t rank = x.shape().rank();
  Permutation permutation = same_order(rank);
  std::reverse(permutation.axes.begin(), permutation.axes.begin() + rank);
  return Transpose<T>::apply(x, permutation);
}

#define FJORD_INSTANTIATE(T)                                        \
  template Var<T> swap_axes(const Var<T>&, Index, Index);           \
  template Var<T> transpose(const Var<T>&, std::span<const Index>); \
  template Var<T> transpose(const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
