#include "fjord/autodiff/ops/join.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord {

template <class T>
Var<T> stack(std::span<const Var<T>> parts, Index axis) {
  require(!parts.empty(), "stack", "at least one tensor is needed");
  Tape<T>& tape = parts.front().tape();
  const Shape shape = tape.node(parts.front(), "stack").shape.shape();
  const std::size_t k = normalized_axis(axis, shape.rank() + 1, "stack");
  Vars<T> slabs;
  for (const Var<T>& part : parts) {
    const Shape got = tape.node(part, "stack").shape.shape();
    require(got == shape, "stack", [&] {
      return "shapes must agree, got " + to_string(shape) + " and " + to_string(got);
    });
    slabs.push_back(reshape(part, shape.with_axis(k, 1)));
  }
  return concatenate(std::span<const Var<T>>(slabs), static_cast<Index>(k));
}

template <class T>
Vars<T> split(const Var<T>& x, Index count, Index axis) {
  const NodeShape shape = x.tape().node(x, "split").shape;
  const std::size_t k = normalized_axis(axis, shape.rank, "split");
  require(count > 0 && shape[k] % count == 0, "split", [&] {
    return "axis " + std::to_string(k) + " of size " + std::to_string(shape[k]) + " has not " +
           std::to_string(count) + " equal parts";
  });
  const Index size = shape[k] / count;
  Vars<T> parts;
  for (Index part = 0; part < count; ++part)
    parts.push_back(slice(x, static_cast<Index>(k), part * size, (part + 1) * size));
  return parts;
}

template <class T>
Var<T> pad(const Var<T>& x, std::initializer_list<PadWidths> widths,
           std::type_identity_t<T> constant) {
  Tape<T>& tape = x.tape();
  const std::size_t rank = tape.node(x, "pad").shape.rank;
  require(widths.size() == rank, "pad", [&] {
    return "widths for each of " + std::to_string(rank) + " axes are needed, got " +
           std::to_string(widths.size());
  });
  Var<T> padded = x;
  for (std::size_t k = 0; k < rank; ++k) {
    const PadWidths width = widths.begin()[k];
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
  template Var<T> pad(const Var<T>&, std::initializer_list<PadWidths>, std::type_identity_t<T>);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
