#include "fjord/autodiff/ops/scan.hpp"

#include <cmath>
#include <limits>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/rules/pick.hpp"
#include "fjord/autodiff/rules/strong_zero.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

struct Scan {
  std::size_t axis;
  bool backward;
};

// Calls step(offset of an entry, offset of the one before it, or -1) from run to run of an axis.
template <class Step>
void for_each_entry(const NodeShape& shape, const Scan& scan, Step step) {
  const AxisLayout layout(shape, scan.axis);
  const Index count = shape[scan.axis];
  for (Index o = 0; o < layout.outer; ++o) {
    for (Index j = 0; j < count; ++j) {
      const Index run = scan.backward ? count - 1 - j : j;
      const Index at = (o * count + run) * layout.inner;
      const Index before = at + (scan.backward ? layout.inner : -layout.inner);
      for (Index i = 0; i < layout.inner; ++i) step(at + i, j == 0 ? -1 : before + i);
    }
  }
}

template <class T>
struct CumulativeSum {
  static Var<T> apply(const Var<T>& x, const Scan& scan) {
    Tape<T>& tape = x.tape();
    const Node<T> in = tape.node(x, "cumsum");
    const auto [var, value] = append_operation(tape, row, {x}, in.shape, tape.keep(scan));
    for_each_entry(in.shape, scan, [&, value = value](Index at, Index before) {
      value[at] = before < 0 ? in.value[at] : value[before] + in.value[at];
    });
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    const auto [axis, backward] = rule.template attributes<Scan>();
    rule.add(0, apply(rule.cotangent(), {axis, !backward}));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    rule.set(apply(rule.tangent(0), rule.template attributes<Scan>()));
    return true;
  }

  static constexpr Operation<T> row{"cumsum", pullback, pushforward};
};

template <class T>
Var<T> before(const Var<T>& x, std::size_t axis) {
  return pick_along(x, axis, x.shape()[axis], [](Index j) { return j - 1; });
}

template <class T>
Var<T> after(const Var<T>& x, std::size_t axis) {
  const Index count = x.shape()[axis];
  return pick_along(x, axis, count, [&](Index j) { return j + 1 < count ? j + 1 : -1; });
}

// The recurrence that derivatives of scans obey: h[j] = b[j] + a[j] h[j - 1]; and backward its
// transpose in b, h[j] = b[j] + a[j + 1] h[j + 1]. h and b are derivatives, a is a slope.
template <class T>
struct Recurrence {
  static Var<T> apply(const Var<T>& a, const Var<T>& b, const Scan& scan) {
    Tape<T>& tape = a.tape();
    const Node<T> in_a = tape.node(a, "recurrence");
    const Node<T> in_b = tape.node(b, "recurrence");
    const auto [var, value] = append_operation(tape, row, {a, b}, in_b.shape, tape.keep(scan));
    for_each_entry(in_b.shape, scan, [&, value = value](Index at, Index last) {
      const T part =
          last < 0 ? simd::masked_zero<T>
                   : simd::strong_product_of(value[last], in_a.value[scan.backward ? last : at]);
      value[at] = in_b.value[at] + part;
    });
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    const auto [axis, backward] = rule.template attributes<Scan>();
    const Var<T> h = rule.output();
    const Var<T> r = apply(rule.input(0), rule.cotangent(), {axis, !backward});
    if (rule.wants(0))
      rule.add(0, backward ? scale_derivatives(before(r, axis), h)
                           : scale_derivatives(r, before(h, axis)));
    rule.add(1, r);
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const Scan& scan = rule.template attributes<Scan>();
    const Var<T> h = rule.output();
    Var<T> b = rule.tangent(1);
    if (const Var<T> a = rule.tangent(0); !a.is_empty()) {
      b = sum_of(b, scan.backward ? after(scale_derivatives(a, h), scan.axis)
                                  : scale_derivatives(a, before(h, scan.axis)));
    }
    rule.set(apply(rule.input(0), b, scan));
    return true;
  }

  static constexpr Operation<T> row{"recurrence", pullback, pushforward};
};

// The scanned entries one place later, `first` in front.
template <class T>
Var<T> shifted(const Var<T>& y, std::size_t axis, T first) {
  Tape<T>& tape = y.tape();
  const Shape shape = y.shape();
  if (shape[axis] == 0) return y;
  const Shape one = shape.without_axis(axis).with_axis(axis, 1);
  const auto k = static_cast<Index>(axis);
  return concatenate({tape.filled(tape.keep_shape(one), first), slice(y, k, 0, shape[axis] - 1)},
                     k);
}

// A scan y[j] = f(y[j - 1], x[j]), of which F gives the derivatives in both: then
// dy[j] = in_y[j] dy[j - 1] + in_x[j] dx[j].
template <class T, class F>
struct Cumulative {
  static Var<T> apply(const Var<T>& x, std::size_t axis) {
    Tape<T>& tape = x.tape();
    const Node<T> in = tape.node(x, F::name);
    const auto [var, value] = append_operation(tape, row, {x}, in.shape, tape.keep(axis));
    for_each_entry(in.shape, {axis, false}, [&, value = value](Index at, Index last) {
      value[at] = last < 0 ? in.value[at] : F::value(value[last], in.value[at]);
    });
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    const auto axis = rule.template attributes<std::size_t>();
    const auto [in_y, in_x] =
        F::slopes(shifted(rule.output(), axis, F::template first<T>), rule.input(0));
    const Var<T> r = Recurrence<T>::apply(in_y, rule.cotangent(), {axis, true});
    rule.add(0, scale(r, in_x));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const auto axis = rule.template attributes<std::size_t>();
    const auto [in_y, in_x] =
        F::slopes(shifted(rule.output(), axis, F::template first<T>), rule.input(0));
    rule.set(Recurrence<T>::apply(in_y, scale(rule.tangent(0), in_x), {axis, false}));
    return true;
  }

  static constexpr Operation<T> row{F::name, pullback, pushforward};
};

template <class T>
struct Slopes {
  Var<T> in_y;
  Var<T> in_x;
};

struct Product {
  static constexpr const char* name = "cumprod";

  template <class T>
  static constexpr T first = 1;

  template <class T>
  static T value(T y, T x) {
    return y * x;
  }

  template <class T>
  static Slopes<T> slopes(const Var<T>& y, const Var<T>& x) {
    return {x, y};
  }
};

struct LogSumExp {
  static constexpr const char* name = "logcumsumexp";

  template <class T>
  static constexpr T first = -std::numeric_limits<T>::infinity();

  template <class T>
  static T value(T y, T x) {
    // Equal ones may be infinite, and have no difference then.
    if (y == x) return y + std::log(T(2));
    return std::max(y, x) + std::log1p(std::exp(-std::abs(y - x)));
  }

  template <class T>
  static Slopes<T> slopes(const Var<T>& y, const Var<T>& x) {
    const Var<T> zero = x.tape().scalar(T(0));
    const Var<T> one = x.tape().scalar(T(1));
    const T infinity = std::numeric_limits<T>::infinity();
    const Var<T> share = equal(x, infinity) * equal(y, infinity);
    const Var<T> d = where(share, zero, x - y);
    const Var<T> nothing = equal(x, -infinity);
    return {where(nothing, one, sigmoid(-d)), where(nothing, zero, sigmoid(d))};
  }
};

template <class T>
std::size_t axis_of(const Var<T>& x, Index axis, const char* op) {
  return normalized_axis(axis, x.tape().node(x, op).shape.rank, op);
}

}  // namespace

template <class T>
Var<T> cumsum(const Var<T>& x, Index axis) {
  return CumulativeSum<T>::apply(x, {axis_of(x, axis, "cumsum"), false});
}

template <class T>
Var<T> cumprod(const Var<T>& x, Index axis) {
  return Cumulative<T, Product>::apply(x, axis_of(x, axis, "cumprod"));
}

template <class T>
Var<T> logcumsumexp(const Var<T>& x, Index axis) {
  return Cumulative<T, LogSumExp>::apply(x, axis_of(x, axis, "logcumsumexp"));
}

#define FJORD_INSTANTIATE(T)                     \
  template Var<T> cumsum(const Var<T>&, Index);  \
  template Var<T> cumprod(const Var<T>&, Index); \
  template Var<T> logcumsumexp(const Var<T>&, Index);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
