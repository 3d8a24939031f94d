/// One linear operation and its transpose for all that moves, repeats or drops entries by places.
#pragma once

#include "fjord/autodiff/kernels/axis_layout.hpp"
#include "fjord/autodiff/operation.hpp"

namespace fjord::rules {

using namespace kernels;

/// From which entry of one tensor each entry of another comes.
///
/// Both are `outer` blocks of runs of `inner` entries; run j of a picked block is run places[j] of
/// the block that is picked from, or masked zeros where places[j] < 0, of derivatives only.
struct Picks {
  Index inner = 1;
  Index outer = 1;
  Index from = 0;                 ///< runs in a block that is picked from
  Index to = 0;                   ///< runs in a picked block
  const Index* places = nullptr;  ///< kept by the tape
  Index axis = -1;                ///< that the runs count along in both tensors, if it is one axis
};

/// The entries of x at the places.
///
/// Note:    For the authors of operations: neither sizes nor places are checked.
template <class T>
Var<T> pick(const Var<T>& x, const Picks& picks, const NodeShape& shape);
/// `zero` everywhere in `shape`, with the entries of x added at the places: the transpose of pick.
/// The zero of derivatives is masked.
template <class T>
Var<T> spread(const Var<T>& x, const Picks& picks, const NodeShape& shape,
              std::type_identity_t<T> zero);

/// Picks along one axis of x, run j from run place(j), as a node whose axis has `count` entries.
template <class T, class Place>
Var<T> pick_along(const Var<T>& x, std::size_t axis, Index count, Place place) {
  Tape<T>& tape = x.tape();
  const NodeShape in = tape.node(x.index()).shape;
  const AxisLayout layout(in, axis);
  auto* places = tape.template new_records<Index>(static_cast<std::size_t>(count));
  for (Index j = 0; j < count; ++j) places[j] = place(j);
  const Shape shape = in.shape().without_axis(axis).with_axis(axis, count);
  return pick(x, {layout.inner, layout.outer, in[axis], count, places, static_cast<Index>(axis)},
              tape.keep_shape(shape));
}

}  // namespace fjord::rules
