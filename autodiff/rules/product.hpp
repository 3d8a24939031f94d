/// Matrix products of nodes with either operand transposed: what rules of layers are made of.
#pragma once

#include "fjord/autodiff/kernels/blas.hpp"
#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"

namespace fjord::rules {

using namespace kernels;

struct Transposes {
  bool a;
  bool b;
};

/// op(A) op(B), with either transposed; rows of A are all its leading axes together.
///
/// Note:    For rules: shapes are not checked, but by assertions of the BLAS.
template <class T>
Var<T> product(const Var<T>& a, const Var<T>& b, Transposes transposes);

/// The reverse rule of a product apply(a, b, transposes): products again.
template <class T, class Apply>
void pull_product(Reverse<T>& rule, Apply apply) {
  const auto [ta, tb] = rule.template attributes<Transposes>();
  const Var<T> a = rule.input(0);
  const Var<T> b = rule.input(1);
  const Var<T> g = rule.cotangent();
  if (rule.wants(0)) rule.add(0, ta ? apply(b, g, {tb, true}) : apply(g, b, {false, !tb}));
  if (rule.wants(1)) rule.add(1, tb ? apply(g, a, {true, ta}) : apply(a, g, {!ta, false}));
}

/// The forward rule.
template <class T, class Apply>
void push_product(Forward<T>& rule, Apply apply) {
  const auto flags = rule.template attributes<Transposes>();
  Var<T> tangent;
  if (!rule.tangent(0).is_empty()) tangent = apply(rule.tangent(0), rule.input(1), flags);
  if (!rule.tangent(1).is_empty()) {
    const Var<T> part = apply(rule.input(0), rule.tangent(1), flags);
    tangent = tangent.is_empty() ? part : tangent + part;
  }
  rule.set(tangent);
}

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

}  // namespace fjord::rules
