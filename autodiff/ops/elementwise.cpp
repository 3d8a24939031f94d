#include "fjord/autodiff/ops/elementwise.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/rules/binary.hpp"
#include "fjord/autodiff/rules/elementwise.hpp"
#include "fjord/autodiff/rules/strong_zero.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

struct Add {
  static constexpr const char* name = "add";

  template <class V>
  static V value(const V& a, const V& b) {
    return a + b;
  }

  template <class V>
  static int slope_a(const V&, const V&, const V&) {
    return 1;
  }

  template <class V>
  static int slope_b(const V&, const V&, const V&) {
    return 1;
  }
};

struct Subtract {
  static constexpr const char* name = "subtract";

  template <class V>
  static V value(const V& a, const V& b) {
    return a - b;
  }

  template <class V>
  static int slope_a(const V&, const V&, const V&) {
    return 1;
  }

  template <class V>
  static int slope_b(const V&, const V&, const V&) {
    return -1;
  }
};

struct Multiply {
  static constexpr const char* name = "multiply";

  template <class V>
  static V value(const V& a, const V& b) {
    return a * b;
  }

  template <class V>
  static V slope_a(const V&, const V& b, const V&) {
    return b;
  }

  template <class V>
  static V slope_b(const V& a, const V&, const V&) {
    return a;
  }
};

struct Divide {
  static constexpr const char* name = "divide";

  template <class V>
  static V value(const V& a, const V& b) {
    return a / b;
  }

  template <class V>
  static V slope_a(const V&, const V& b, const V&) {
    return reciprocal(b);
  }

  template <class V>
  static V slope_b(const V&, const V& b, const V& y) {
    return -(y / b);
  }

  template <class T>
  static simd::Batch<T> reciprocal(const simd::Batch<T>& b) {
    return T(1) / b;
  }

  template <class T>
  static Var<T> reciprocal(const Var<T>& b) {
    return fjord::reciprocal(b);
  }
};

// Of derivatives at a point where no quotient is: see quotient_of_zeros.
struct QuotientOfZeros : Divide {
  template <class T>
  static simd::Batch<T> value(const simd::Batch<T>& a, const simd::Batch<T>& b) {
    const simd::Batch<T> zero(T(0));
    return xsimd::select((a == zero) & (b == zero), zero, a / b);
  }
};

struct WithoutSlope {
  static constexpr const char* name = "convention";

  template <class V>
  static V value(const V& x) {
    return x;
  }

  template <class T>
  static simd::Batch<T> slope(const simd::Batch<T>&, const simd::Batch<T>&) {
    return simd::Batch<T>(std::numeric_limits<T>::quiet_NaN());
  }

  template <class T>
  static Var<T> slope(const Var<T>& x, const Var<T>&) {
    const NodeShape shape = x.tape().node(x.index()).shape;
    return x.tape().filled(shape, std::numeric_limits<T>::quiet_NaN());
  }
};

struct Reciprocal {
  static constexpr const char* name = "reciprocal";

  template <class T>
  static simd::Batch<T> value(const simd::Batch<T>& x) {
    return T(1) / x;
  }

  template <class V>
  static V slope(const V&, const V& y) {
    return -(y * y);
  }
};

struct Square {
  static constexpr const char* name = "square";

  template <class V>
  static V value(const V& x) {
    return x * x;
  }

  template <class V>
  static V slope(const V& x, const V&) {
    return x + x;
  }
};

struct SquareRoot {
  static constexpr const char* name = "sqrt";

  template <class V>
  static V value(const V& x) {
    return xsimd::sqrt(x);
  }

  template <class T>
  static simd::Batch<T> slope(const simd::Batch<T>&, const simd::Batch<T>& y) {
    return T(0.5) / y;
  }

  template <class T>
  static Var<T> slope(const Var<T>&, const Var<T>& y) {
    return T(0.5) / y;
  }
};

// A value(x) of which the slope is one number, where neither depends on nodes but x.
template <class T>
struct Line {
  template <class Value>
  static Var<T> apply(const Var<T>& x, T slope, Value value_of) {
    Tape<T>& tape = x.tape();
    const Node<T>& in = tape.node(x, "scalar arithmetic");
    if (in.shape.size == 1) {
      const T number = simd::of_numbers<T>(value_of, *in.value);
      return append_number<T, 1>(tape, row, {x.index()}, in.shape, number, tape.keep(slope));
    }
    const auto [var, value] = append_operation(tape, row, {x}, in.shape, tape.keep(slope));
    simd::transform(in.shape.size, value, value_of, in.value);
    return var;
  }

  static T factor(const RuleNode<T>& rule) { return rule.template attributes<T>(); }

  static Var<T> times(const Var<T>& g, T factor) { return factor == T(1) ? g : scaled(g, factor); }

  static void pullback(Reverse<T>& rule) { rule.add(0, times(rule.cotangent(), factor(rule))); }

  static bool pushforward(Forward<T>& rule) {
    rule.set(times(rule.tangent(0), factor(rule)));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) {
    const T c = factor(k);
    const auto part = [c](const auto& g) { return simd::strong_product<T>(g, simd::Batch<T>(c)); };
    if (c == T(1)) {
      k.pass(0);
    } else if (k.is_number()) {
      k.add_number(0, simd::of_numbers<T>(part, *k.cotangent()));
    } else if (const Target<T> target = k.target(0)) {
      simd::accumulate(k.size(), target.data, target.fresh, part, k.cotangent());
    }
  }

  static constexpr Operation<T> row{"scalar arithmetic", pullback, pushforward, pullback_values};
};

template <class T>
struct Identity {
  static Var<T> apply(const Var<T>& x) {
    const Node<T> in = x.tape().node(x, "identity");
    return append_alias(x.tape(), row, x, in.shape, in.value);
  }

  static void pullback(Reverse<T>& rule) { rule.add(0, rule.cotangent()); }

  static bool pushforward(Forward<T>& rule) {
    rule.set(rule.tangent(0));
    return true;
  }

  static void pullback_values(ReverseKernel<T>& k) { k.pass(0); }

  static constexpr Operation<T> row{"identity", pullback, pushforward, pullback_values};
};

}  // namespace

template <class T>
Var<T> operator+(const Var<T>& a, const Var<T>& b) {
  return Binary<T, Add>::apply(a, b);
}

template <class T>
Var<T> operator-(const Var<T>& a, const Var<T>& b) {
  return Binary<T, Subtract>::apply(a, b);
}

template <class T>
Var<T> operator*(const Var<T>& a, const Var<T>& b) {
  return Binary<T, Multiply>::apply(a, b);
}

template <class T>
Var<T> operator/(const Var<T>& a, const Var<T>& b) {
  return Binary<T, Divide>::apply(a, b);
}

template <class T>
Var<T> operator-(const Var<T>& x) {
  return Line<T>::apply(x, T(-1), [](const auto& v) { return -v; });
}

template <class T>
Var<T> operator+(const Var<T>& x, std::type_identity_t<T> c) {
  return Line<T>::apply(x, T(1), [c](const auto& v) { return v + c; });
}

template <class T>
Var<T> operator-(std::type_identity_t<T> c, const Var<T>& x) {
  return Line<T>::apply(x, T(-1), [c](const auto& v) { return c - v; });
}

template <class T>
Var<T> operator*(const Var<T>& x, std::type_identity_t<T> c) {
  return Line<T>::apply(x, c, [c](const auto& v) { return v * c; });
}

template <class T>
Var<T> operator/(const Var<T>& x, std::type_identity_t<T> c) {
  return Line<T>::apply(x, T(1) / c, [c](const auto& v) { return v / c; });
}

template <class T>
Var<T> operator/(std::type_identity_t<T> c, const Var<T>& x) {
  return x.tape().scalar(c) / x;
}

template <class T>
Var<T> rules::scaled(const Var<T>& g, std::type_identity_t<T> factor) {
  const simd::Batch<T> c(factor);
  return Line<T>::apply(g, factor, [c](const auto& v) { return simd::strong_product<T>(v, c); });
}

template <class T>
Var<T> rules::negated(const Var<T>& g) {
  return Line<T>::apply(g, T(-1), simd::negated);
}

namespace {

template <class T, class Is>
bool has_zero(const Var<T>& g, Is is) {
  const Node<T>& node = g.tape().node(g.index());
  return std::any_of(node.value, node.value + node.shape.size, is);
}

}  // namespace

template <class T>
Var<T> rules::seed(const Var<T>& g) {
  const bool is_seed = !has_zero(g, [](T x) { return x == 0 && !simd::is_masked(x); });
  return is_seed ? g : Line<T>::apply(g, T(1), simd::seed);
}

template <class T>
Var<T> rules::unmasked(const Var<T>& g) {
  const bool is_unmasked = !has_zero(g, [](T x) { return simd::is_masked(x); });
  return is_unmasked ? g
                     : Line<T>::apply(g, T(1), [](const auto& v) { return simd::computed<T>(v); });
}

template <class T>
Var<T> rules::without_slope(const Var<T>& x) {
  return Unary<T, WithoutSlope>::apply(x);
}

template <class T>
Var<T> rules::quotient_of_zeros(const Var<T>& x, const Var<T>& y) {
  return Binary<T, QuotientOfZeros>::apply(x, y);
}

template <class T>
Var<T> reciprocal(const Var<T>& x) {
  return Unary<T, Reciprocal>::apply(x);
}

template <class T>
Var<T> square(const Var<T>& x) {
  return Unary<T, Square>::apply(x);
}

template <class T>
Var<T> sqrt(const Var<T>& x) {
  return Unary<T, SquareRoot>::apply(x);
}

template <class T>
Var<T> identity(const Var<T>& x) {
  return Identity<T>::apply(x);
}

template <class T>
Var<T> stop_gradient(const Var<T>& x) {
  const Node<T>& node = x.tape().node(x, "stop_gradient");
  return x.tape().borrow(node.shape, node.value);
}

template <class T>
Var<T> zeros_like(const Var<T>& x) {
  return x.tape().filled(x.tape().node(x, "zeros_like").shape, T(0));
}

template <class T>
Var<T> ones_like(const Var<T>& x) {
  return x.tape().filled(x.tape().node(x, "ones_like").shape, T(1));
}

#define FJORD_INSTANTIATE(T)                                                \
  template Var<T> rules::scaled<T>(const Var<T>&, std::type_identity_t<T>); \
  template Var<T> rules::negated(const Var<T>&);                            \
  template Var<T> rules::seed(const Var<T>&);                               \
  template Var<T> rules::unmasked(const Var<T>&);                           \
  template Var<T> rules::without_slope(const Var<T>&);                      \
  template Var<T> rules::quotient_of_zeros(const Var<T>&, const Var<T>&);   \
  template Var<T> operator+(const Var<T>&, const Var<T>&);                  \
  template Var<T> operator-(const Var<T>&, const Var<T>&);                  \
  template Var<T> operator*(const Var<T>&, const Var<T>&);                  \
  template Var<T> operator/(const Var<T>&, const Var<T>&);                  \
  template Var<T> operator-(const Var<T>&);                                 \
  template Var<T> operator+<T>(const Var<T>&, std::type_identity_t<T>);     \
  template Var<T> operator-<T>(std::type_identity_t<T>, const Var<T>&);     \
  template Var<T> operator*<T>(const Var<T>&, std::type_identity_t<T>);     \
  template Var<T> operator/<T>(const Var<T>&, std::type_identity_t<T>);     \
  template Var<T> operator/<T>(std::type_identity_t<T>, const Var<T>&);     \
  template Var<T> reciprocal(const Var<T>&);                                \
  template Var<T> square(const Var<T>&);                                    \
  template Var<T> sqrt(const Var<T>&);                                      \
  template Var<T> identity(const Var<T>&);                                  \
  template Var<T> stop_gradient(const Var<T>&);                             \
  template Var<T> zeros_like(const Var<T>&);                                \
  template Var<T> ones_like(const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
