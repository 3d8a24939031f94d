#include "fjord/autodiff/ops/join.hpp"

#include <limits>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/axis_layout.hpp"
#include "fjord/autodiff/kernels/simd.hpp"
#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/rules/strong_zero.hpp"

namespace fjord {

using namespace kernels;
using namespace record;

template <class T>
Var<T> stack(std::span<const Var<T>> parts, Index axis) {
  require(!parts.empty(), "stack", "at least one tensor is needed");
  Tape<T>& tape = parts.front().tape();
  const Shape shape = tape.node(parts.front(), "stack").shape.shape();
  const std::size_t k = normalized_axis(axis, shape.rank() + 1, "stack");
  auto* slabs = tape.template new_records<Var<T>>(parts.size());
  std::size_t count = 0;
  for (const Var<T>& part : parts) {
    const Shape got = tape.node(part, "stack").shape.shape();
    require(got == shape, "stack", [&] {
      return "shapes must agree, got " + to_string(shape) + " and " + to_string(got);
    });
    slabs[count++] = reshape(part, shape.with_axis(k, 1));
  }
  return concatenate(std::span<const Var<T>>(slabs, count), static_cast<Index>(k));
}

namespace {

// One operation with all parts as outputs, so that what its sweeps cost does not grow with their
// number.
template <class T>
struct Split {
  static Vars<T> apply(const Var<T>& x, std::size_t axis, Index count) {
    Tape<T>& tape = x.tape();
    const Node<T> in = tape.node(x.index());
    const Index size = in.shape[axis] / count;
    const NodeShape shape =
        tape.keep_shape(in.shape.shape().without_axis(axis).with_axis(axis, size));
    const std::vector<NodeShape> shapes(static_cast<std::size_t>(count), shape);
    std::vector<NewNode<T>> nodes(shapes.size());
    append_outputs<T>(tape, row, std::span(&x, 1), tape.keep(axis), shapes, nodes);
    for_each_run(in.shape, axis, count, [&](std::size_t part, Index at_part, Index at, Index n) {
      std::copy_n(in.value + at, n, nodes[part].value + at_part);
    });
    Vars<T> parts;
    for (const NewNode<T>& node : nodes) parts.push_back(node.var);
    return parts;
  }

  static void pullback(Reverse<T>& rule) {
    Tape<T>& tape = rule.tape();
    Vars<T> parts;
    for (std::uint32_t k = 0; k < rule.node().outputs; ++k) {
      const Var<T> g = rule.cotangent(k);
      parts.push_back(g.is_empty() ? rules::masked(tape, rule.node().shape) : g);
    }
    rule.add(0, concatenate(std::span<const Var<T>>(parts),
                            static_cast<Index>(rule.template attributes<std::size_t>())));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const auto axis = rule.template attributes<std::size_t>();
    const Index size = rule.node().shape[axis];
    for (std::uint32_t k = 0; k < rule.node().outputs; ++k) {
      if (!rule.wants(k)) continue;
      rule.set(k, slice(rule.tangent(0), static_cast<Index>(axis), k * size, (k + 1) * size));
    }
    return true;
  }

  static void pullback_values(ReverseKernel<T>& kernel) {
    const Target<T> target = kernel.target(0);
    if (!target) return;
    for_each_run(kernel.input_shape(0), kernel.template attributes<std::size_t>(),
                 kernel.node().outputs, [&](std::size_t part, Index at_part, Index at, Index n) {
                   const T* g = kernel.cotangent(static_cast<std::uint32_t>(part));
                   if (g != nullptr) {
                     simd::accumulate(n, target.data + at, target.fresh, simd::same, g + at_part);
                   } else if (target.fresh) {
                     std::fill_n(target.data + at, n, simd::masked_zero<T>);
                   }
                 });
  }

  static constexpr Operation<T> row{"split", pullback, pushforward, pullback_values};

 private:
  // Calls body(part, offset in the part, offset in the whole, n) for each run of n entries.
  template <class Body>
  static void for_each_run(const NodeShape& whole, std::size_t axis, Index count, Body body) {
    const AxisLayout layout(whole, axis);
    const Index n = whole[axis] / count * layout.inner;
    for (Index o = 0; o < layout.outer; ++o) {
      for (Index part = 0; part < count; ++part)
        body(static_cast<std::size_t>(part), o * n, (o * count + part) * n, n);
    }
  }
};

}  // namespace

template <class T>
Vars<T> split(const Var<T>& x, Index count, Index axis) {
  const NodeShape shape = x.tape().node(x, "split").shape;
  const std::size_t k = normalized_axis(axis, shape.rank, "split");
  require(count > 0 && shape[k] % count == 0, "split", [&] {
    return "axis " + std::to_string(k) + " of size " + std::to_string(shape[k]) + " has not " +
           std::to_string(count) + " equal parts";
  });
  constexpr Index most = std::numeric_limits<decltype(Node<T>::outputs)>::max();
  require(count <= most, "split", [&] {
    return "at most " + std::to_string(most) + " parts are possible, got " + std::to_string(count);
  });
  return Split<T>::apply(x, k, count);
}

template <class T>
Var<T> pad(const Var<T>& x, std::span<const PadWidths> widths, std::type_identity_t<T> constant) {
  Tape<T>& tape = x.tape();
  const std::size_t rank = tape.node(x, "pad").shape.rank;
  require(widths.size() == rank, "pad", [&] {
    return "widths for each of " + std::to_string(rank) + " axes are needed, got " +
           std::to_string(widths.size());
  });
  Var<T> padded = x;
  for (std::size_t k = 0; k < rank; ++k) {
    const PadWidths width = widths[k];
    require(width.before >= 0 && width.after >= 0, "pad", [&] {
      return "widths must be >= 0, got " + std::to_string(width.before) + " and " +
             std::to_string(width.after);
    });
    if (width.before == 0 && width.after == 0) continue;
    const NodeShape shape = tape.node(padded.index()).shape;
    const auto margin = [&](Index size) {
      return tape.filled(tape.keep_shape(shape.shape().without_axis(k).with_axis(k, size)),
                         constant);
    };
    padded =
        concatenate({margin(width.before), padded, margin(width.after)}, static_cast<Index>(k));
  }
  return padded;
}

#define FJORD_INSTANTIATE(T)                             \
  template Var<T> stack(std::span<const Var<T>>, Index); \
  template Vars<T> split(const Var<T>&, Index, Index);   \
  template Var<T> pad(const Var<T>&, std::span<const PadWidths>, std::type_identity_t<T>);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
