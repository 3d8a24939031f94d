#include "fjord/autodiff/ops/select.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/rules/choice.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

struct Greater {
  static constexpr const char* name = "greater";

  template <class T>
  static simd::Batch<T> value(const simd::Batch<T>& a, const simd::Batch<T>& b) {
    return choose(a > b, simd::Batch<T>(T(1)), simd::Batch<T>(T(0)));
  }
};

struct GreaterEqual {
  static constexpr const char* name = "greater_equal";

  template <class T>
  static simd::Batch<T> value(const simd::Batch<T>& a, const simd::Batch<T>& b) {
    return choose(a >= b, simd::Batch<T>(T(1)), simd::Batch<T>(T(0)));
  }
};

struct Equal {
  static constexpr const char* name = "equal";

  template <class T>
  static simd::Batch<T> value(const simd::Batch<T>& a, const simd::Batch<T>& b) {
    return choose(a == b, simd::Batch<T>(T(1)), simd::Batch<T>(T(0)));
  }
};

struct NotEqual {
  static constexpr const char* name = "not_equal";

  template <class T>
  static simd::Batch<T> value(const simd::Batch<T>& a, const simd::Batch<T>& b) {
    // Written with ==, of which NaN is the opposite on every processor: != is not.
    return choose(a == b, simd::Batch<T>(T(0)), simd::Batch<T>(T(1)));
  }
};

// Whether x is what was chosen: equal to y, or NaN as it is. No part of the interface.
struct Chosen {
  static constexpr const char* name = "chosen";

  template <class T>
  static simd::Batch<T> value(const simd::Batch<T>& x, const simd::Batch<T>& y) {
    const auto is_chosen = (x == y) | ~((x == x) | (y == y));
    return choose(is_chosen, simd::Batch<T>(T(1)), simd::Batch<T>(T(0)));
  }
};

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
    const Var<T> left = masked(g.tape());
    if (rule.wants(1)) rule.add(1, where(rule.input(0), g, left));
    if (rule.wants(2)) rule.add(2, where(rule.input(0), left, g));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    const Var<T> still = masked(rule.tape());
    const Var<T> a = rule.tangent(1);
    const Var<T> b = rule.tangent(2);
    if (a.is_empty() && b.is_empty()) return true;
    rule.set(where(rule.input(0), a.is_empty() ? still : a, b.is_empty() ? still : b));
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

struct Maximum {
  static constexpr const char* name = "maximum";

  template <class T>
  static simd::Batch<T> value(const simd::Batch<T>& a, const simd::Batch<T>& b) {
    return choose(a > b, a, choose(b >= a, b, a + b));  // a + b is NaN there
  }

  template <class T>
  static Var<T> carry(const Var<T>& g, const Var<T>& own, const Var<T>& other, const Var<T>& y) {
    const Var<T> share = where(BinaryStep<T, Chosen>::apply(other, y), scaled(g, T(0.5)), g);
    return where(BinaryStep<T, Chosen>::apply(own, y), share, masked_like(g));
  }
};

struct Minimum {
  static constexpr const char* name = "minimum";

  template <class T>
  static simd::Batch<T> value(const simd::Batch<T>& a, const simd::Batch<T>& b) {
    return choose(a < b, a, choose(b <= a, b, a + b));
  }

  template <class T>
  static Var<T> carry(const Var<T>& g, const Var<T>& own, const Var<T>& other, const Var<T>& y) {
    return Maximum::carry(g, own, other, y);
  }
};

}  // namespace

template <class T>
Var<T> operator>(const Var<T>& a, const Var<T>& b) {
  return BinaryStep<T, Greater>::apply(a, b);
}

template <class T>
Var<T> operator>=(const Var<T>& a, const Var<T>& b) {
  return BinaryStep<T, GreaterEqual>::apply(a, b);
}

template <class T>
Var<T> equal(const Var<T>& a, const Var<T>& b) {
  return BinaryStep<T, Equal>::apply(a, b);
}

template <class T>
Var<T> not_equal(const Var<T>& a, const Var<T>& b) {
  return BinaryStep<T, NotEqual>::apply(a, b);
}

template <class T>
Var<T> where(const Var<T>& mask, const Var<T>& a, const Var<T>& b) {
  return Where<T>::apply(mask, a, b);
}

template <class T>
Var<T> maximum(const Var<T>& a, const Var<T>& b) {
  return BinaryChoice<T, Maximum>::apply(a, b);
}

template <class T>
Var<T> minimum(const Var<T>& a, const Var<T>& b) {
  return BinaryChoice<T, Minimum>::apply(a, b);
}

template <class T>
Var<T> clamp(const Var<T>& x, std::type_identity_t<T> low, std::type_identity_t<T> high) {
  require(low <= high, "clamp", [&] {
    return "low must be at most high, got " + std::to_string(low) + " and " + std::to_string(high);
  });
  return where(x < low, constant(x, low), where(x > high, constant(x, high), x));
}

#define FJORD_INSTANTIATE(T)                                          \
  template Var<T> operator>(const Var<T>&, const Var<T>&);            \
  template Var<T> operator>=(const Var<T>&, const Var<T>&);           \
  template Var<T> equal(const Var<T>&, const Var<T>&);                \
  template Var<T> not_equal(const Var<T>&, const Var<T>&);            \
  template Var<T> where(const Var<T>&, const Var<T>&, const Var<T>&); \
  template Var<T> maximum(const Var<T>&, const Var<T>&);              \
  template Var<T> minimum(const Var<T>&, const Var<T>&);              \
  template Var<T> clamp<T>(const Var<T>&, std::type_identity_t<T>, std::type_identity_t<T>);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
