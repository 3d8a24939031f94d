/// Matrix products of nodes with either operand transposed: what rules of layers are made of.
#pragma once

#include "fjord/autodiff/blas.hpp"
#include "fjord/autodiff/operation.hpp"

namespace fjord {

struct Transposes {
  bool a;
  bool b;
};

/// op(A) op(B), with either transposed; rows of A are all its leading axes together.
///
/// Note:    For rules: shapes are not checked, but by assertions of the BLAS.
template <class T>
Var<T> product(const Var<T>& a, const Var<T>& b, Transposes transposes);

/// Rows of a tensor as a matrix: all axes but the last.
///
/// In column-major memory their order is another than numpy's, but the same one in every tensor of
/// a product, so no entry has to move.
inline Index row_count(const NodeShape& shape) {
  const Index columns = shape[shape.rank - 1];
  return columns == 0 ? Shape(std::span(shape.sizes, shape.rank - 1)).size() : shape.size / columns;
}

template <class T>
MatrixOperand<T> operand(const Node<T>& node, bool transposed) {
  return {node.value, row_count(node.shape), transposed};
}

template <class T>
Start start(const Target<T>& target) {
  return target.fresh ? Start::zero : Start::present;
}

/// The shape of `in` with `columns` in the last axis: its own where it has as many.
template <class T>
NodeShape with_columns(Tape<T>& tape, const NodeShape& in, Index columns) {
  const std::size_t last = in.rank - 1;
  if (in[last] == columns) return in;
  return tape.keep_shape(in.shape().without_axis(last).with_axis(last, columns));
}

}  // namespace fjord
