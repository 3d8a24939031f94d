/// Elementwise operations of several numbers for which a kernel has all partial derivatives, of any
/// order.
///
/// A rule F is a constant object: name; count, the number of operands; value(orders, at), the
/// derivative of orders[i] in operand i, computed in double for both scalars.
#pragma once

#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/rules/strong_zero.hpp"

namespace fjord::rules {

template <class T, class F>
struct Partials {
  using Orders = std::array<int, F::count>;
  using Operands = std::array<Var<T>, F::count>;

  /// The function itself, of operands broadcast.
  static Var<T> apply(const Operands& operands) {
    Shape shape;
    for (const Var<T>& x : operands) {
      const Shape own = operands.front().tape().node(x, F::name).shape.shape();
      shape = broadcast_shapes(shape, own, F::name);
    }
    Operands stretched;
    for (std::size_t i = 0; i < operands.size(); ++i)
      stretched[i] = operands[i].shape() == shape ? operands[i] : broadcast_to(operands[i], shape);
    return derivative({}, stretched);
  }

  static void pullback(Reverse<T>& rule) {
    for (std::uint32_t i = 0; i < rule.input_count(); ++i) {
      if (rule.wants(i)) rule.add(i, scale(rule.cotangent(), slope(rule, i)));
    }
  }

  static bool pushforward(Forward<T>& rule) {
    Var<T> sum;
    for (std::uint32_t i = 0; i < rule.input_count(); ++i) {
      if (rule.tangent(i).is_empty()) continue;
      const Var<T> part = scale(rule.tangent(i), slope(rule, i));
      sum = sum_of(sum, part);
    }
    rule.set(sum);
    return true;
  }

  static constexpr Operation<T> row{F::name, pullback, pushforward};

 private:
  // Operands have one shape.
  static Var<T> derivative(const Orders& orders, const Operands& operands) {
    Tape<T>& tape = operands.front().tape();
    const NodeShape shape = tape.node(operands.front().index()).shape;
    const NewNode<T> result =
        append_operation<T>(tape, row, std::span<const Var<T>>(operands), shape, tape.keep(orders));
    std::array<const T*, F::count> in;
    for (std::size_t i = 0; i < in.size(); ++i) in[i] = tape.node(operands[i].index()).value;
    for (Index k = 0; k < shape.size; ++k) {
      std::array<double, F::count> at;
      for (std::size_t i = 0; i < at.size(); ++i) at[i] = static_cast<double>(in[i][k]);
      result.value[k] = static_cast<T>(F::value(orders, at));
    }
    return result.var;
  }

  static Var<T> slope(const RecordedRule<T>& rule, std::uint32_t i) {
    auto orders = rule.template attributes<Orders>();
    ++orders[i];
    Operands operands;
    for (std::uint32_t k = 0; k < F::count; ++k) operands[k] = rule.input(k);
    return derivative(orders, operands);
  }
};

}  // namespace fjord::rules
