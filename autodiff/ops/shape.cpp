#include "fjord/autodiff/ops/shape.hpp"

#include <utility>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/axis_layout.hpp"
#include "fjord/autodiff/kernels/simd.hpp"
#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/rules/strong_zero.hpp"

namespace fjord {

using namespace kernels;
using namespace record;

namespace {

// Entries of an axis of `size` entries, from entry `at` on.
template <class T>
struct Slab {
  T* data;
  Index size;
  Index at;
};

// Adds or assigns `count` entries of an axis.
template <class T>
void move_slab(const AxisLayout& layout, const Slab<const T>& from, const Slab<T>& to, Index count,
               bool fresh) {
  for (Index o = 0; o < layout.outer; ++o) {
    const T* source = from.data + (o * from.size + from.at) * layout.inner;
    T* target = to.data + (o * to.size + to.at) * layout.inner;
    const Index n = count * layout.inner;
    if (n == 1) {
      *target = fresh ? *source : *target + *source;
    } else {
      simd::accumulate(n, target, fresh, simd::same, source);
    }
  }
}

Shape with_size(const NodeShape& shape, std::size_t axis, Index size) {
  std::array<Index, Shape::max_rank> sizes{};
  std::copy_n(shape.sizes, shape.rank, sizes.begin());
  sizes[axis] = size;
  return Shape(std::span(sizes.data(), shape.rank));
}

// The shape of a part of an axis.
template <class T>
NodeShape keep_part(Tape<T>& tape, const NodeShape& whole, std::size_t axis, Index size) {
  auto* sizes = tape.template new_records<Index>(whole.rank);
  Index entries = 1;
  for (std::size_t k = 0; k < whole.rank; ++k) {
    sizes[k] = k == axis ? size : whole[k];
    entries *= sizes[k];
  }
  return {sizes, entries, whole.rank};
}

// The axis of a stacked tensor that holds the unstacked tensor's `axis`.
std::size_t stacked_axis(std::size_t axis, std::size_t rank) {
  return axis >= static_cast<std::size_t>(stacking_axis(rank)) ? axis + 1 : axis;
}

struct AxisRange {
  std::size_t axis;
  Index begin;
};

template <class T>
Var<T> place(const Var<T>& x, const AxisRange& range, const Shape& shape);

template <class T>
struct Slice {
  static Var<T> apply(const Var<T>& x, std::size_t axis, Index begin, Index end) {
    Tape<T>& tape = x.tape();
    const Node<T>& in = tape.node(x, "slice");
    const NodeShape whole = in.shape;
    const T* const from = in.value;
    const NodeShape shape = keep_part(tape, whole, axis, end - begin);
    const AxisLayout layout(whole, axis);
    const AxisRange* range = tape.keep(AxisRange{axis, begin});
    // Along the last axis the entries stand together already.
    if (layout.outer == 1)
      return append_alias(tape, row, x, shape, from + begin * layout.inner, range);
    const auto [var, value] = append_operation(tape, row, {x}, shape, range);
    move_slab<T>(layout, {from, whole[axis], begin}, {value, end - begin, 0}, end - begin, true);
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    rule.add(0, place(rule.cotangent(), range(rule), rule.input_node(0).shape.shape()));
  }

  static bool pushforward(Forward<T>& rule) {
    std::size_t axis = range(rule).axis;
    const Index count = rule.node().shape[axis];
    if (rule.stack() > 0) axis = stacked_axis(axis, rule.node().shape.rank);
    rule.set(apply(rule.tangent(0), axis, range(rule).begin, range(rule).begin + count));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const Target<T> target = k.target(0);
    if (!target) return;
    const auto [axis, begin] = range(k);
    const NodeShape& in = k.input_shape(0);
    if (target.fresh) std::fill_n(target.data, in.size, simd::masked_zero<T>);
    if (in.rank == 1 && k.size() == 1) {
      target.data[begin] += *k.cotangent();
      return;
    }
    const Index count = k.node().shape[axis];
    move_slab<T>(AxisLayout(in, axis), {k.cotangent(), count, 0}, {target.data, in[axis], begin},
                 count, false);
  }

  static const AxisRange& range(const RuleNode<T>& rule) {
    return rule.template attributes<AxisRange>();
  }

  static constexpr Operation<T> row{"slice", pullback, pushforward, pullback_values};
};

// Masked zeros with x in place of one slice: the transpose of Slice.
template <class T>
struct Place {
  static void pullback(Reverse<T>& rule) {
    const auto [axis, begin] = Slice<T>::range(rule);
    rule.add(
        0, Slice<T>::apply(rule.cotangent(), axis, begin, begin + rule.input_node(0).shape[axis]));
  }

  static bool pushforward(Forward<T>& rule) {
    AxisRange range = Slice<T>::range(rule);
    Shape shape = rule.node().shape.shape();
    if (rule.stack() > 0) {
      range.axis = stacked_axis(range.axis, shape.rank());
      shape = stacked_shape(shape, rule.stack());
    }
    rule.set(place(rule.tangent(0), range, shape));
    return true;
  }

  static constexpr Operation<T> row{"place", pullback, pushforward};
};

template <class T>
Var<T> place(const Var<T>& x, const AxisRange& range, const Shape& shape) {
  Tape<T>& tape = x.tape();
  const Node<T> in = tape.node(x, "place");
  const NodeShape whole = tape.keep_shape(shape);
  const auto [var, value] = append_operation(tape, Place<T>::row, {x}, whole, tape.keep(range));
  std::fill_n(value, whole.size, simd::masked_zero<T>);
  const Index count = in.shape[range.axis];
  move_slab<T>(AxisLayout(whole, range.axis), {in.value, count, 0},
               {value, whole[range.axis], range.begin}, count, true);
  return var;
}

template <class T>
struct Concatenate {
  static Var<T> apply(std::span<const Var<T>> parts, std::size_t axis) {
    Tape<T>& tape = parts.front().tape();
    const NodeShape first = tape.node(parts.front(), "concatenate").shape;
    auto* inputs = tape.template new_records<std::uint32_t>(parts.size());
    std::size_t count = 0;
    Index total = 0;
    for (const Var<T>& part : parts) {
      const NodeShape& shape = tape.node(part, "concatenate").shape;
      inputs[count++] = part.index();
      bool matches = shape.rank == first.rank;
      for (std::size_t k = 0; matches && k < shape.rank; ++k)
        matches = k == axis || shape[k] == first[k];
      require(matches, "concatenate", [&] {
        return "shapes must agree except for axis " + std::to_string(axis) + ", got " +
               to_string(first.shape()) + " and " + to_string(shape.shape());
      });
      total = plus_size(total, shape[axis], "concatenate");
    }
    const NodeShape whole = tape.keep_shape(with_size(first, axis, total));
    const auto [var, value] = append_kept(tape, row, {inputs, count}, whole, tape.keep(axis));
    const AxisLayout layout(whole, axis);
    Index at = 0;
    for (const Var<T>& part : parts) {
      const Node<T>& in = tape.node(part.index());
      if (in.shape.size == 1) {
        value[at] = *in.value;
      } else {
        move_slab<T>(layout, {in.value, in.shape[axis], 0}, {value, total, at}, in.shape[axis],
                     true);
      }
      at += in.shape[axis];
    }
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    const auto axis = rule.template attributes<std::size_t>();
    Index at = 0;
    for (std::uint32_t i = 0; i < rule.input_count(); ++i) {
      const Index count = rule.input_node(i).shape[axis];
      if (rule.wants(i)) rule.add(i, Slice<T>::apply(rule.cotangent(), axis, at, at + count));
      at += count;
    }
  }

  static bool pushforward(Forward<T>& rule) {
    const auto axis = rule.template attributes<std::size_t>();
    Tape<T>& tape = rule.tape();
    auto* parts = tape.template new_records<Var<T>>(rule.input_count());
    for (std::uint32_t i = 0; i < rule.input_count(); ++i) {
      parts[i] = rule.tangent(i);
      if (!parts[i].is_empty()) continue;
      const NodeShape shape = rule.input_node(i).shape;
      parts[i] = rules::masked(
          tape,
          rule.stack() > 0 ? tape.keep_shape(stacked_shape(shape.shape(), rule.stack())) : shape);
    }
    rule.set(apply(std::span<const Var<T>>(parts, rule.input_count()),
                   rule.stack() > 0 ? stacked_axis(axis, rule.node().shape.rank) : axis));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const auto axis = k.template attributes<std::size_t>();
    const NodeShape& whole = k.node().shape;
    const AxisLayout layout(whole, axis);
    Index at = 0;
    for (std::uint32_t i = 0; i < k.input_count(); ++i) {
      const Index count = k.input_shape(i)[axis];
      if (k.input_shape(i).size == 1) {
        k.add_number(i, k.cotangent()[at]);
      } else if (const Target<T> target = k.target(i)) {
        move_slab<T>(layout, {k.cotangent(), whole[axis], at}, {target.data, count, 0}, count,
                     target.fresh);
      }
      at += count;
    }
  }

  static constexpr Operation<T> row{"concatenate", pullback, pushforward, pullback_values};
};

// The places in column-major memory in the order C: last axis fastest.
class PlacesInOrderC final {
 public:
  explicit PlacesInOrderC(const NodeShape& shape) : shape_(shape) {
    Index stride = 1;
    for (std::size_t axis = 0; axis < shape.rank; ++axis) {
      strides_[axis] = stride;
      stride *= shape[axis];
    }
  }

  /// The next place.
  Index next() {
    const Index place = place_;
    for (std::size_t axis = shape_.rank; axis-- > 0;) {
      place_ += strides_[axis];
      if (++counter_[axis] < shape_[axis]) break;
      place_ -= counter_[axis] * strides_[axis];
      counter_[axis] = 0;
    }
    return place;
  }

 private:
  NodeShape shape_;
  Index place_ = 0;
  std::array<Index, Shape::max_rank> strides_{};
  std::array<Index, Shape::max_rank> counter_{};
};

// Assigns or adds the entries of one shape to those of another, both in the order C.
template <class T>
void move_in_order(const T* from, const NodeShape& from_shape, T* to, const NodeShape& to_shape,
                   bool fresh) {
  PlacesInOrderC source(from_shape);
  PlacesInOrderC target(to_shape);
  for (Index i = 0; i < from_shape.size; ++i) {
    const T entry = from[source.next()];
    T& place = to[target.next()];
    place = fresh ? entry : place + entry;
  }
}

template <class T>
struct Reshape {
  static Var<T> apply(const Var<T>& x, const Shape& shape) {
    Tape<T>& tape = x.tape();
    const Node<T> in = tape.node(x, "reshape");
    require(shape.size() == in.shape.size, "reshape", [&] {
      return "the size must stay, got " + to_string(in.shape.shape()) + " to " + to_string(shape);
    });
    const NodeShape target = tape.keep_shape(shape);
    if (same_but_ones(in.shape, target)) return append_alias(tape, row, x, target, in.value);
    const auto [var, value] = append_operation(tape, row, {x}, target);
    move_in_order(in.value, in.shape, value, target, true);
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    rule.add(0, apply(rule.cotangent(), rule.input_node(0).shape.shape()));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    rule.set(apply(rule.tangent(0), rule.node().shape.shape()));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    if (same_but_ones(k.input_shape(0), k.node().shape)) {
      k.pass(0);
    } else if (const Target<T> target = k.target(0)) {
      move_in_order(k.cotangent(), k.node().shape, target.data, k.input_shape(0), target.fresh);
    }
  }

  static constexpr Operation<T> row{"reshape", pullback, pushforward, pullback_values};

 private:
  // Axes of size 1 come and go without moving an entry.
  static bool same_but_ones(const NodeShape& a, const NodeShape& b) {
    std::size_t i = 0;
    std::size_t j = 0;
    while (true) {
      while (i < a.rank && a[i] == 1) ++i;
      while (j < b.rank && b[j] == 1) ++j;
      if (i == a.rank || j == b.rank) return i == a.rank && j == b.rank;
      if (a[i++] != b[j++]) return false;
    }
  }
};

Index from_start(Index place, Index size) {
  return place < 0 ? place + size : place;
}

// With the size that stands as -1 found from the others.
Shape completed_shape(std::span<const Index> sizes, const Shape& from) {
  Index known = 1;
  Index open = 0;
  bool fits = true;
  for (const Index size : sizes) {
    open += size == -1;
    if (size != -1) fits = fits && !__builtin_mul_overflow(known, size, &known);
  }
  if (open == 0) return Shape(sizes);
  std::vector<Index> complete(sizes.begin(), sizes.end());
  require(open == 1 && fits && known > 0 && from.size() % known == 0, "reshape", [&] {
    std::string text;
    for (const Index size : sizes) text += (text.empty() ? "" : ", ") + std::to_string(size);
    return "one size may be -1, to be found from the others, got " + to_string(from) + " to [" +
           text + "]";
  });
  std::replace(complete.begin(), complete.end(), Index{-1}, from.size() / known);
  return Shape(complete);
}

}  // namespace

template <class T>
Var<T> reshape(const Var<T>& x, const Shape& shape) {
  return Reshape<T>::apply(x, shape);
}

template <class T>
Var<T> reshape(const Var<T>& x, std::span<const Index> sizes) {
  const Shape from = x.tape().node(x, "reshape").shape.shape();
  return Reshape<T>::apply(x, completed_shape(sizes, from));
}

template <class T>
Var<T> slice(const Var<T>& x, Index axis, std::optional<Index> begin, std::optional<Index> end) {
  const NodeShape shape = x.tape().node(x, "slice").shape;
  const std::size_t k = normalized_axis(axis, shape.rank, "slice");
  const Index first = from_start(begin.value_or(0), shape[k]);
  const Index stop = from_start(end.value_or(shape[k]), shape[k]);
  require(0 <= first && first <= stop && stop <= shape[k], "slice", [&] {
    return "begin <= end is needed, both in [-" + std::to_string(shape[k]) + ", " +
           std::to_string(shape[k]) + "] on axis " + std::to_string(k) + ", got " +
           std::to_string(begin.value_or(0)) + " and " + std::to_string(end.value_or(shape[k]));
  });
  return Slice<T>::apply(x, k, first, stop);
}

template <class T>
Var<T> Var<T>::operator[](Index i) const {
  const NodeShape shape = tape().node(*this, "index").shape;
  require(shape.rank > 0, "index", "an axis is needed, got a scalar");
  const Index place = from_start(i, shape[0]);
  require(0 <= place && place < shape[0], "index", [&] {
    return "index " + std::to_string(i) + " is outside an axis of size " + std::to_string(shape[0]);
  });
  return Reshape<T>::apply(Slice<T>::apply(*this, 0, place, place + 1),
                           shape.shape().without_axis(0));
}

template <class T>
Var<T> concatenate(std::span<const Var<T>> parts, Index axis) {
  require(!parts.empty(), "concatenate", "at least one tensor is needed");
  const std::size_t rank = parts.front().tape().node(parts.front(), "concatenate").shape.rank;
  return Concatenate<T>::apply(parts, normalized_axis(axis, rank, "concatenate"));
}

#define FJORD_INSTANTIATE(T)                                                               \
  template Var<T> reshape(const Var<T>&, const Shape&);                                    \
  template Var<T> reshape(const Var<T>&, std::span<const Index>);                          \
  template Var<T> slice(const Var<T>&, Index, std::optional<Index>, std::optional<Index>); \
  template Var<T> Var<T>::operator[](Index) const;                                         \
  template Var<T> concatenate(std::span<const Var<T>>, Index);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
