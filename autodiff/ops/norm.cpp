#include "fjord/autodiff/ops/norm.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/extreme.hpp"
#include "fjord/autodiff/ops/power.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/rounding.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/rules/reduction.hpp"
#include "fjord/autodiff/rules/strong_zero.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

// Whether a sum of squares lost nothing by underflow or overflow; NaN is not safe.
template <class T>
bool is_safe(T sum_of_squares) {
  using Limits = std::numeric_limits<T>;
  return sum_of_squares >= Limits::min() / Limits::epsilon() && sum_of_squares <= Limits::max();
}

template <class T>
void write_lengths(Tape<T>& tape, const Node<T>& in, T* out, const NodeShape& kept) {
  using Batch = simd::Batch<T>;
  std::fill_n(out, kept.size, T(0));
  add_sums<T>(in.value, in.shape, out, out, kept,
              [](const Batch& x, const Batch&) { return x * x; });
  const bool safe = std::all_of(out, out + kept.size, is_safe<T>);
  if (safe) {
    simd::transform(
        kept.size, out, [](const Batch& s) { return xsimd::sqrt(s); }, static_cast<const T*>(out));
    return;
  }
  T* largest = tape.new_values(kept.size);
  write_extremes<LargestFirst>(in.value, in.shape, largest, kept,
                               [](const Batch& x) { return xsimd::abs(x); });
  std::fill_n(out, kept.size, T(0));
  add_sums<T>(in.value, in.shape, largest, out, kept, [](const Batch& x, const Batch& m) {
    const Batch ratio = x / m;
    return ratio * ratio;
  });
  for (Index i = 0; i < kept.size; ++i) {
    // The ratios to 0 and to infinity are NaN, and those of no entries add up to 0.
    const bool is_limit = largest[i] == 0 || std::isinf(largest[i]);
    out[i] = is_limit ? std::max(largest[i], T(0)) : largest[i] * std::sqrt(out[i]);
  }
}

// The derivative is the direction x / y; the zero vector has none, and 0 is put in its place, whose
// own derivatives are not known.
template <class T>
struct Norm {
  static Var<T> apply(const Var<T>& x, const NodeShape& kept) {
    Tape<T>& tape = x.tape();
    const Node<T> in = tape.node(x, "norm");
    const auto [var, value] = append_operation(tape, row, {x}, kept);
    write_lengths(tape, in, value, kept);
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    const Var<T> g = broadcast_to(rule.cotangent(), rule.input_node(0).shape.shape());
    rule.add(0, scale(g, direction(rule)));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    rule.set(sum_to(scale(rule.tangent(0), direction(rule)), rule.output()));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const Target<T> target = k.target(0);
    if (!target) return;
    using Batch = simd::Batch<T>;
    accumulate_stretched(
        k.input(0), k.input_shape(0), k.node().shape, target,
        [](const Batch& x, const Batch& y, const Batch& g) {
          const Batch zero(T(0));
          return simd::strong_product<T>(g, xsimd::select(y == zero, zero, x / y));
        },
        k.output(), k.cotangent());
  }

  static constexpr Operation<T> row{"norm", pullback, pushforward, pullback_values};

 private:
  static Var<T> direction(const RecordedRule<T>& rule) {
    return quotient_of_zeros(rule.input(0), rule.output());
  }
};

template <class T>
struct SumSquares {
  static Var<T> apply(const Var<T>& x, const NodeShape& kept) {
    Tape<T>& tape = x.tape();
    const Node<T> in = tape.node(x, name);
    const auto [var, value] = append_operation(tape, row, {x}, kept);
    std::fill_n(value, kept.size, T(0));
    add_sums<T>(in.value, in.shape, value, value, kept,
                [](const Batch& v, const Batch&) { return v * v; });
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    const Var<T> x = rule.input(0);
    const Var<T> g = rule.cotangent();
    rule.add(0, scale(broadcast_to(g + g, rule.input_node(0).shape.shape()), x));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const Var<T> x = rule.input(0);
    // Doubled when it is small.
    const Var<T> half = sum_to(scale(rule.tangent(0), x), rule.output());
    rule.set(half + half);
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const Target<T> target = k.target(0);
    if (!target) return;
    accumulate_stretched(
        k.input(0), k.input_shape(0), k.node().shape, target,
        [](const Batch& x, const Batch& g) { return simd::strong_product<T>(g, x + x); },
        k.cotangent());
  }

  static constexpr const char* name = "sum_squares";
  static constexpr Operation<T> row{name, pullback, pushforward, pullback_values};

 private:
  using Batch = simd::Batch<T>;
};

// Of another order than 2, given the sum and the maximum over the entries of each vector, and its
// norm of order 2.
template <class T, class Sum, class Max, class Norm2>
Var<T> norm_of_order(const Var<T>& x, T order, Sum sum_over, Max max_over, Norm2 norm_over) {
  const Var<T> size = abs(x);
  if (std::isinf(order)) return max_over(size);
  if (order == 1 || x.shape().size() == 0) return sum_over(size);
  const Var<T> one = x.tape().scalar(T(1));
  // The unit cancels, so it is a constant to every derivative.
  const Var<T> largest = stop_gradient(max_over(size));
  const Var<T> is_unit = (largest > T(0)) * (largest <= std::numeric_limits<T>::max());
  const Var<T> unit = where(is_unit, largest, one);
  const Var<T> total = sum_over(pow(size / unit, order));
  const Var<T> is_zero = equal(total, T(0));
  // Of the zero vector all norms and their derivatives are alike.
  return where(is_zero, norm_over(x), unit * pow(where(is_zero, one, total), T(1) / order));
}

void check_order(double order) {
  require(order >= 1, "norm",
          [&] { return "an order in [1, inf] is needed, got " + std::to_string(order); });
}

}  // namespace

template <class T>
Var<T> norm(const Var<T>& x, double order) {
  check_order(order);
  if (order == 2) return Norm<T>::apply(x, NodeShape{});
  return norm_of_order(
      x, static_cast<T>(order), [](const Var<T>& y) { return sum(y); },
      [](const Var<T>& y) { return max(y); }, [](const Var<T>& y) { return norm(y); });
}

template <class T>
Var<T> norm(const Var<T>& x, std::initializer_list<Index> axes, bool keep_dims, double order) {
  check_order(order);
  if (order == 2) return reduce_over(x, axes, keep_dims, "norm", Norm<T>::apply);
  return reduce_over(x, axes, keep_dims, "norm", [&](const Var<T>& y, const NodeShape&) {
    return norm_of_order(
        y, static_cast<T>(order), [&](const Var<T>& z) { return sum(z, axes, true); },
        [&](const Var<T>& z) { return max(z, axes, true); },
        [&](const Var<T>& z) { return norm(z, axes, true); });
  });
}

template <class T>
Var<T> sum_squares(const Var<T>& x) {
  return SumSquares<T>::apply(x, NodeShape{});
}

template <class T>
Var<T> sum_squares(const Var<T>& x, std::initializer_list<Index> axes, bool keep_dims) {
  return reduce_over(x, axes, keep_dims, SumSquares<T>::name, SumSquares<T>::apply);
}

#define FJORD_INSTANTIATE(T)                                                       \
  template Var<T> norm(const Var<T>&, double);                                     \
  template Var<T> norm(const Var<T>&, std::initializer_list<Index>, bool, double); \
  template Var<T> sum_squares(const Var<T>&);                                      \
  template Var<T> sum_squares(const Var<T>&, std::initializer_list<Index>, bool);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
