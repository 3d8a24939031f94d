/// Matrix products of nodes with either operand transposed: of which rules of layers are made.
#pragma once

#include "fjord/autodiff/kernels/masked_product.hpp"
#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/record/sweep_memory.hpp"
#include "fjord/autodiff/rules/strong_zero.hpp"

namespace fjord::rules {

using namespace kernels;

struct Transposes {
  bool a;
  bool b;
  Moving moving = {};  ///< which operands are derivatives
};

/// op(A) op(B), with either transposed; rows of A are all its leading axes together.
///
/// Note:    For rules: shapes are not checked, but by assertions of the BLAS.
template <class T>
Var<T> product(const Var<T>& a, const Var<T>& b, Transposes transposes);

/// The reverse rule of a product apply(a, b, transposes): products again.
template <class T, class Apply>
void pull_product(Reverse<T>& rule, Apply apply) {
  const auto [ta, tb, moving] = rule.template attributes<Transposes>();
  const Var<T> a = rule.input(0);
  const Var<T> b = rule.input(1);
  const Var<T> g = rule.cotangent();
  const Moving with_a{moving.a, true};
  const Moving with_b{moving.b, true};
  if (rule.wants(0))
    rule.add(0, ta ? apply(b, g, {tb, true, with_b}) : apply(g, b, {false, !tb, {true, moving.b}}));
  if (rule.wants(1))
    rule.add(1, tb ? apply(g, a, {true, ta, {true, moving.a}}) : apply(a, g, {!ta, false, with_a}));
}

/// The forward rule.
template <class T, class Apply>
void push_product(Forward<T>& rule, Apply apply) {
  const auto [ta, tb, moving] = rule.template attributes<Transposes>();
  Var<T> tangent;
  if (!rule.tangent(0).is_empty())
    tangent = apply(rule.tangent(0), rule.input(1), {ta, tb, {true, moving.b}});
  if (!rule.tangent(1).is_empty())
    tangent = sum_of(tangent, apply(rule.input(0), rule.tangent(1), {ta, tb, {moving.a, true}}));
  rule.set(tangent);
}

/// Rows of a tensor as a matrix: all axes but the last.
///
/// In column-major memory their order differs from numpy's, but is the same in every tensor of
/// a product, so no entry has to move.
inline Index row_count(const NodeShape& shape) {
  const Index columns = shape[shape.rank - 1];
  return columns == 0 ? Shape(std::span(shape.sizes, shape.rank - 1)).size() : shape.size / columns;
}

template <class T>
MatrixOperand<T> operand(const Node<T>& node, bool transposed) {
  return {node.value, row_count(node.shape), transposed};
}

/// The pool of the sweeps over a tape.
template <class T>
record::BufferPool& pool_of(Tape<T>& tape) {
  return tape.sweep_memory().pool;
}

/// Makes a product of derivatives the cotangent of an input, or adds it.
template <class T>
void multiply(ReverseKernel<T>& k, std::uint32_t i, const MatrixProduct<T>& product) {
  if (const Target<T> target = k.target(i))
    kernels::multiply(pool_of(k.tape()), product, target.data, target.fresh);
}

/// The shape of `in` with `columns` in the last axis: its own where it has as many.
template <class T>
NodeShape with_columns(Tape<T>& tape, const NodeShape& in, Index columns) {
  const std::size_t last = in.rank - 1;
  if (in[last] == columns) return in;
  return tape.keep_shape(in.shape().without_axis(last).with_axis(last, columns));
}

}  // namespace fjord::rules
