#include "fjord/autodiff/ops/select.hpp"

#include "fjord/autodiff/broadcast.hpp"
#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/simd.hpp"

namespace fjord {
namespace {

template <class T>
bool is_zero_rule(Forward<T>&) {
  return true;
}

// Comparisons are constant almost everywhere: no derivative flows, in either direction.
template <class T>
constexpr Operation<T> is_positive_row{"is_positive", [](Reverse<T>&) {}, is_zero_rule<T>,
                                       [](ReverseKernel<T>&) {}};

template <class T>
struct Where {
  static Var<T> apply(const Var<T>& mask, const Var<T>& a, const Var<T>& b) {
    Tape<T>& tape = mask.tape();
    const NodeShape pair = broadcast_node_shape(tape, tape.node(a, "where").shape,
                                                tape.node(b, "where").shape, "where");
    const NodeShape shape =
        broadcast_node_shape(tape, tape.node(mask, "where").shape, pair, "where");
    const Var<T> full_mask = full(mask, shape);
    const Var<T> full_a = full(a, shape);
    const Var<T> full_b = full(b, shape);
    const auto [var, value] = append_operation(tape, row, {full_mask, full_a, full_b}, shape);
    simd::transform(shape.size, value, select, tape.node(full_mask.index()).value,
                    tape.node(full_a.index()).value, tape.node(full_b.index()).value);
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    const Var<T> g = rule.cotangent();
    const Var<T> zero = g.tape().scalar(T(0));
    if (rule.wants(1)) rule.add(1, where(rule.input(0), g, zero));
    if (rule.wants(2)) rule.add(2, where(rule.input(0), zero, g));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const Var<T> zero = rule.tape().scalar(T(0));
    const Var<T> a = rule.tangent(1);
    const Var<T> b = rule.tangent(2);
    if (a.is_empty() && b.is_empty()) return true;
    rule.set(where(rule.input(0), a.is_empty() ? zero : a, b.is_empty() ? zero : b));
    return true;
  }

  static constexpr Operation<T> row{"where", pullback, pushforward};

 private:
  static Var<T> full(const Var<T>& x, const NodeShape& shape) {
    return x.tape().node(x.index()).shape == shape ? x : broadcast_to(x, shape.shape());
  }

  static simd::Batch<T> select(const simd::Batch<T>& mask, const simd::Batch<T>& a,
                               const simd::Batch<T>& b) {
    // Written with ==, of which NaN is the opposite on every processor: != is not.
    return xsimd::select(mask == simd::Batch<T>(T(0)), b, a);
  }
};

}  // namespace

template <class T>
Var<T> is_positive(const Var<T>& x) {
  const Node<T> in = x.tape().node(x, "is_positive");
  const auto [var, value] = append_operation(x.tape(), is_positive_row<T>, {x}, in.shape);
  simd::transform(
      in.shape.size, value,
      [](const auto& v) {
        return xsimd::select(v > simd::Batch<T>(T(0)), simd::Batch<T>(T(1)), simd::Batch<T>(T(0)));
      },
      in.value);
  return var;
}

template <class T>
Var<T> where(const Var<T>& mask, const Var<T>& a, const Var<T>& b) {
  return Where<T>::apply(mask, a, b);
}

#define FJORD_INSTANTIATE(T)                  \
  template Var<T> is_positive(const Var<T>&); \
  template Var<T> where(const Var<T>&, const Var<T>&, const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
