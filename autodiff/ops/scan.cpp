#include "fjord/autodiff/ops/scan.hpp"

#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "fjord/autodiff/kernels/simd.hpp"
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

// y[j] = state.next(x[j], ...) along each lane of an axis: what runs along may keep more digits
// than y.
template <class State, class T, class... In>
void scan_lanes(const NodeShape& shape, const Scan& scan, T* y, const In*... in) {
  constexpr Index most = 64;  // lanes side by side
  const AxisLayout layout(shape, scan.axis);
  const Index count = shape[scan.axis];
  for (Index o = 0; o < layout.outer; ++o) {
    for (Index first = 0; first < layout.inner; first += most) {
      const Index lanes = std::min(most, layout.inner - first);
      std::array<State, most> states{};
      for (Index j = 0; j < count; ++j) {
        const Index at = (o * count + (scan.backward ? count - 1 - j : j)) * layout.inner + first;
        for (Index i = 0; i < lanes; ++i)
          y[at + i] = states[static_cast<std::size_t>(i)].next(in[at + i]...);
      }
    }
  }
}

template <class T>
struct RunningSum {
  simd::LongSum sum;

  T next(T x) {
    sum.add(static_cast<double>(x));
    return static_cast<T>(sum.value());
  }
};

template <class T>
struct CumulativeSum {
  static Var<T> apply(const Var<T>& x, const Scan& scan) {
    Tape<T>& tape = x.tape();
    const Node<T> in = tape.node(x, "cumsum");
    const auto [var, value] = append_operation(tape, row, {x}, in.shape, tape.keep(scan));
    scan_lanes<RunningSum<T>>(in.shape, scan, value, in.value);
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

// The slope of a scan in its last entry.
template <class T>
struct Slope {
  Var<T> slope;
  Var<T> rest;  // 1 - slope where that is accurate to its last digit; empty: the slope is exact
};

// Running values of h = term + slope h, a derivative, which keep their digits however long it runs.
//
// Source:  Graillat, Langlois & Louvet, Compensated Horner scheme, 2005.
template <class T, bool backward>
class RunningDerivative final {
 public:
  T next(T term, T slope) {
    return advance(static_cast<double>(term), {static_cast<double>(slope)});
  }

  // A slope near 1 is taken from what is missing to it.
  T next(T term, T slope, T rest) {
    const auto missing = static_cast<double>(rest);
    if (!(missing < 0.5)) return next(term, slope);
    const double high = 1 - missing;
    return advance(static_cast<double>(term), {high, simd::error_of_sum(1.0, -missing, high)});
  }

 private:
  // The slope is high + low.
  struct Exact {
    double high = 0;
    double low = 0;
  };

  // Backward, the slope of an entry leads on from it, forward to it.
  T advance(double term, Exact slope) {
    if (backward) std::swap(slope, slope_);
    const double product = simd::strong_product_of(sum_, slope.high);
    const double sum = product + term;
    error_ = error_ * slope.high + sum_ * slope.low + std::fma(sum_, slope.high, -product) +
             simd::error_of_sum(product, term, sum);
    if (!std::isfinite(error_)) error_ = 0;
    sum_ = sum;
    return simd::is_masked(sum_) ? simd::masked_zero<T>
                                 : simd::computed(static_cast<T>(sum_ + error_));
  }

  double sum_ = simd::masked_zero<double>;
  double error_ = 0;
  Exact slope_;
};

// The recurrence that derivatives of scans obey: h[j] = b[j] + a[j] h[j - 1]; and backward its
// transpose in b, h[j] = b[j] + a[j + 1] h[j + 1]. h and b are derivatives, a is a slope. What is
// missing to 1 is a number only: all derivatives go to a.
template <class T>
struct Recurrence {
  static Var<T> apply(const Slope<T>& a, const Var<T>& b, const Scan& scan) {
    Tape<T>& tape = b.tape();
    const Node<T> in_a = tape.node(a.slope, "recurrence");
    const Node<T> in_b = tape.node(b, "recurrence");
    const std::array<Var<T>, 3> inputs{a.slope, b, a.rest};
    const auto [var, value] = append_operation(
        tape, row, std::span(inputs).first(a.rest.is_empty() ? 2 : 3), in_b.shape, tape.keep(scan));
    const auto run = [&, value = value](auto... in) {
      if (scan.backward) {
        scan_lanes<RunningDerivative<T, true>>(in_b.shape, scan, value, in...);
      } else {
        scan_lanes<RunningDerivative<T, false>>(in_b.shape, scan, value, in...);
      }
    };
    if (a.rest.is_empty()) {
      run(in_b.value, in_a.value);
    } else {
      run(in_b.value, in_a.value, tape.node(a.rest, "recurrence").value);
    }
    return var;
  }

  static Slope<T> slope_of(const RecordedRule<T>& rule) {
    return {rule.input(0), rule.input_count() > 2 ? rule.input(2) : Var<T>()};
  }

  static void pullback(Reverse<T>& rule) {
    const auto [axis, backward] = rule.template attributes<Scan>();
    const Var<T> h = rule.output();
    const Var<T> r = apply(slope_of(rule), rule.cotangent(), {axis, !backward});
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
    rule.set(apply(slope_of(rule), b, scan));
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
    scan_lanes<typename F::template State<T>>(in.shape, {axis, false}, value, in.value);
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
  Slope<T> in_y;
  Var<T> in_x;
};

struct RunningProduct {
  static constexpr const char* name = "cumprod";

  template <class T>
  static constexpr T first = 1;

  template <class T>
  struct State {
    double product = 1;
    double error = 0;  // what rounding has taken from it

    // Source:  Ogita, Rump & Oishi, Accurate sum and dot product, 2005, sec. 3, with the error of
    //          a product from fma.
    T next(T x) {
      const auto factor = static_cast<double>(x);
      const double last = std::exchange(product, product * factor);
      error = error * factor + std::fma(last, factor, -product);
      if (!std::isfinite(error)) error = 0;
      return static_cast<T>(error == 0 ? product : product + error);
    }
  };

  template <class T>
  static Slopes<T> slopes(const Var<T>& y, const Var<T>& x) {
    return {{x, {}}, y};
  }
};

struct RunningLogSumExp {
  static constexpr const char* name = "logcumsumexp";

  template <class T>
  static constexpr T first = -std::numeric_limits<T>::infinity();

  template <class T>
  struct State {
    T largest = -std::numeric_limits<T>::infinity();
    simd::LongSum others;  // exp(x - largest) of all entries but one that is the largest

    T next(T x) {
      if (largest == first<T>) return largest = x;
      if (x > largest) {
        others.add(1);
        others.scale(exp_of_difference(largest, x));
        largest = x;
      } else {
        // Equal ones may be infinite, and have no difference then.
        others.add(x == largest ? 1.0 : exp_of_difference(x, largest));
      }
      return largest + std::log1p(static_cast<T>(others.value()));
    }

    static double exp_of_difference(T a, T b) {
      return std::exp(static_cast<double>(a) - static_cast<double>(b));
    }
  };

  template <class T>
  static Slopes<T> slopes(const Var<T>& y, const Var<T>& x) {
    const Var<T> zero = x.tape().scalar(T(0));
    const Var<T> one = x.tape().scalar(T(1));
    const T infinity = std::numeric_limits<T>::infinity();
    const Var<T> share = equal(x, infinity) * equal(y, infinity);
    const Var<T> d = where(share, zero, x - y);
    const Var<T> nothing = equal(x, -infinity);
    const Var<T> in_x = where(nothing, zero, sigmoid(d));
    return {{where(nothing, one, sigmoid(-d)), in_x}, in_x};
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
  return Cumulative<T, RunningProduct>::apply(x, axis_of(x, axis, "cumprod"));
}

template <class T>
Var<T> logcumsumexp(const Var<T>& x, Index axis) {
  return Cumulative<T, RunningLogSumExp>::apply(x, axis_of(x, axis, "logcumsumexp"));
}

#define FJORD_INSTANTIATE(T)                     \
  template Var<T> cumsum(const Var<T>&, Index);  \
  template Var<T> cumprod(const Var<T>&, Index); \
  template Var<T> logcumsumexp(const Var<T>&, Index);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
