#include "fjord/autodiff/ops/distance.hpp"

#include <cmath>
#include <limits>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
#include "fjord/autodiff/rules/scalar.hpp"
#include "fjord/autodiff/rules/strong_zero.hpp"

namespace fjord {

using namespace kernels;
using namespace rules;

namespace {

// A derivative, or masked zeros in its place.
template <class T>
Var<T> or_masked(const Var<T>& x, const Var<T>& like) {
  return x.is_empty() ? masked(like.tape(), NodeShape(like.tape().node(like.index()).shape)) : x;
}

template <class T>
Var<T> flipped(const Var<T>& x) {
  return swap_axes(x, 0, 1);
}

template <class T>
struct PairProducts;

// Entry (i, d) is the sum over j of g_ji (x_id - y_jd), for g [M, N]. Linear in g, and in x and y
// together.
template <class T>
struct WeightedDifferences {
  static Var<T> apply(const Var<T>& g, const Var<T>& x, const Var<T>& y) {
    Tape<T>& tape = x.tape();
    const Node<T> in_g = tape.node(g.index());
    const Node<T> in_x = tape.node(x.index());
    const Node<T> in_y = tape.node(y.index());
    const auto [var, value] = append_operation(tape, row, {g, x, y}, in_x.shape);
    const Index n = in_x.shape[0];
    const Index m = in_y.shape[0];
    for (Index d = 0; d < in_x.shape[1]; ++d) {
      for (Index i = 0; i < n; ++i) {
        const simd::Batch<T> from(in_x.value[i + n * d]);
        value[i + n * d] = static_cast<T>(simd::sum<T>(
            m, [=](const auto& weight, const auto& to) { return weight * (from - to); },
            in_g.value + m * i, in_y.value + m * d));
      }
    }
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    const Var<T> h = rule.cotangent();
    const Var<T> none_y = or_masked(Var<T>(), rule.input(2));
    if (rule.wants(0)) {
      rule.add(0, flipped(PairProducts<T>::apply({rule.input(1), rule.input(2), h, none_y})));
    }
    if (rule.wants(1)) rule.add(1, apply(rule.input(0), h, none_y));
    if (rule.wants(2)) {
      rule.add(2, apply(flipped(rule.input(0)), none_y, h));
    }
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    Var<T> tangent;
    if (const Var<T> dg = rule.tangent(0); !dg.is_empty()) {
      tangent = apply(dg, rule.input(1), rule.input(2));
    }
    if (!rule.tangent(1).is_empty() || !rule.tangent(2).is_empty()) {
      const Var<T> dx = or_masked(rule.tangent(1), rule.input(1));
      tangent =
          sum_of(tangent, apply(rule.input(0), dx, or_masked(rule.tangent(2), rule.input(2))));
    }
    rule.set(tangent);
    return true;
  }

  static constexpr Operation<T> row{"squared_distances", pullback, pushforward};
};

// Entry (i, j) is the product of x_i - y_j and u_i - v_j. Linear in x and y together, and in u and
// v.
template <class T>
struct PairProducts {
  struct Points {
    Var<T> x;
    Var<T> y;
    Var<T> u;
    Var<T> v;
  };

  static Var<T> apply(const Points& p) {
    Tape<T>& tape = p.x.tape();
    const Node<T> x = tape.node(p.x.index());
    const Node<T> y = tape.node(p.y.index());
    const Node<T> u = tape.node(p.u.index());
    const Node<T> v = tape.node(p.v.index());
    const NodeShape shape = tape.keep_shape({x.shape[0], y.shape[0]});
    const auto [var, value] = append_operation(tape, row, {p.x, p.y, p.u, p.v}, shape);
    std::fill_n(value, shape.size, T(0));
    std::vector<T> part(static_cast<std::size_t>(x.shape[0]));
    // Long sums keep their digits if they are added by blocks.
    constexpr Index block = 64;
    for (Index first = 0; first < x.shape[1]; first += block) {
      const Index end = std::min(x.shape[1], first + block);
      for (Index j = 0; j < y.shape[0]; ++j) {
        sum_columns({first, end}, j, {x, y, u, v}, part.data());
        simd::accumulate(x.shape[0], value + x.shape[0] * j, false, simd::same,
                         static_cast<const T*>(part.data()));
      }
    }
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    const Var<T> g = rule.cotangent();
    for (std::uint32_t i = 0; i < 4; ++i) {
      if (!rule.wants(i)) continue;
      // Of the other pair, in its order for x and u and turned for y and v.
      const std::uint32_t pair = i < 2 ? 2 : 0;
      const Var<T> first = rule.input(pair);
      const Var<T> second = rule.input(pair + 1);
      rule.add(i, i % 2 == 0 ? WeightedDifferences<T>::apply(flipped(g), first, second)
                             : WeightedDifferences<T>::apply(g, second, first));
    }
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    Var<T> tangent;
    for (const std::uint32_t pair : {0U, 2U}) {
      if (rule.tangent(pair).is_empty() && rule.tangent(pair + 1).is_empty()) continue;
      const Var<T> first = or_masked(rule.tangent(pair), rule.input(pair));
      const Var<T> second = or_masked(rule.tangent(pair + 1), rule.input(pair + 1));
      const std::uint32_t other = 2 - pair;
      tangent = sum_of(tangent, apply({first, second, rule.input(other), rule.input(other + 1)}));
    }
    rule.set(tangent);
    return true;
  }

  static constexpr Operation<T> row{"squared_distances", pullback, pushforward};

 private:
  struct Nodes {
    const Node<T>& x;
    const Node<T>& y;
    const Node<T>& u;
    const Node<T>& v;
  };

  // The part of column j that some columns of the points make.
  static void sum_columns(std::pair<Index, Index> columns, Index j, const Nodes& points, T* sums) {
    const Index n = points.x.shape[0];
    const Index m = points.y.shape[0];
    for (Index d = columns.first; d < columns.second; ++d) {
      const simd::Batch<T> y(points.y.value[j + m * d]);
      const simd::Batch<T> v(points.v.value[j + m * d]);
      simd::accumulate(
          n, sums, d == columns.first,
          [=](const auto& x, const auto& u) { return (x - y) * (u - v); }, points.x.value + n * d,
          points.u.value + n * d);
    }
  }
};

// Covariances as functions of z = s^2 of which each is the slope of the next except for a factor;
// with s exp(-s) = 0 for infinite s.
double decay(double z, double polynomial) {
  return std::isinf(z) ? 0 : polynomial * std::exp(-std::sqrt(z));
}

// The derivative of exp(-s) in z.
double steepness(double z) {
  return decay(z, -0.5 / std::sqrt(z));
}

// The derivative of `steepness` in z > 0.
template <class T>
Var<T> curvature(const Var<T>& z) {
  const Var<T> s = sqrt(z);
  return (s + T(1)) * exp(-s) / (z * s * T(4));
}

// g times the derivative of exp(-s) in z. Where z is 0 that derivative is infinite; but as a
// function of points, s is a distance, and g, which is a derivative of z or a factor like it, is 0
// there to the first order. So is the product, which has no derivative then.
template <class T>
struct Steepness {
  static Var<T> apply(const Var<T>& g, const Var<T>& z) {
    Tape<T>& tape = z.tape();
    const Node<T> in_g = tape.node(g.index());
    const Node<T> in_z = tape.node(z.index());
    const auto [var, value] = append_operation(tape, row, {g, z}, in_z.shape);
    std::transform(in_g.value, in_g.value + in_z.shape.size, in_z.value, value, [](T factor, T at) {
      if (simd::is_masked(factor) || (factor == 0 && at >= 0)) return factor;
      return factor * static_cast<T>(steepness(static_cast<double>(at)));
    });
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    const Var<T> h = rule.cotangent();
    if (rule.wants(0)) rule.add(0, apply(h, rule.input(1)));
    if (rule.wants(1))
      rule.add(1, scale(scale_derivatives(h, rule.input(0)), curvature(rule.input(1))));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    Var<T> tangent;
    if (!rule.tangent(0).is_empty()) tangent = apply(rule.tangent(0), rule.input(1));
    if (const Var<T> dz = rule.tangent(1); !dz.is_empty()) {
      tangent =
          sum_of(tangent, scale(scale_derivatives(dz, rule.input(0)), curvature(rule.input(1))));
    }
    rule.set(tangent);
    return true;
  }

  static constexpr Operation<T> row{"matern", pullback, pushforward};
};

// exp(-s).
template <class T>
Var<T> append_decay(const Var<T>& z, const Operation<T>& row) {
  const Node<T> in = z.tape().node(z, row.name);
  const auto [var, value] = append_operation(z.tape(), row, {z}, in.shape);
  std::transform(in.value, in.value + in.shape.size, value,
                 [](T at) { return static_cast<T>(decay(static_cast<double>(at), 1)); });
  return var;
}

// exp(-s), as the slope of another covariance.
template <class T>
struct Decay {
  static Var<T> apply(const Var<T>& z) { return append_decay(z, row); }

  static void pullback(Reverse<T>& rule) {
    rule.add(0, Steepness<T>::apply(rule.cotangent(), rule.input(0)));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    rule.set(Steepness<T>::apply(rule.tangent(0), rule.input(0)));
    return true;
  }

  static constexpr Operation<T> row{"matern", pullback, pushforward};
};

struct Matern32 {
  static constexpr const char* name = "matern32";

  static double value(double z) { return decay(z, 1 + std::sqrt(z)); }

  template <class T>
  static Var<T> slope(const Var<T>& z, const Var<T>&) {
    return Decay<T>::apply(z) * T(-0.5);
  }
};

struct Matern52 {
  static constexpr const char* name = "matern52";

  static double value(double z) { return decay(z, 1 + std::sqrt(z) + z / 3); }

  template <class T>
  static Var<T> slope(const Var<T>& z, const Var<T>&) {
    return ScalarUnary<T, Matern32>::apply(z) * T(-1.0 / 6);
  }
};

// The derivative of exp(-s) in z, with 0 in place of the peak's, which has no derivative.
template <class T>
struct PeakSlope {
  static Var<T> apply(const Var<T>& z) {
    const Node<T> in = z.tape().node(z.index());
    const auto [var, value] = append_operation(z.tape(), row, {z}, in.shape);
    std::transform(in.value, in.value + in.shape.size, value, [](T at) {
      return at == 0 ? T(0) : static_cast<T>(steepness(static_cast<double>(at)));
    });
    return var;
  }

  static void pullback(Reverse<T>& rule) {
    rule.add(0, scale(rule.cotangent(), slope(rule.input(0))));
  }

  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    rule.set(scale(rule.tangent(0), slope(rule.input(0))));
    return true;
  }

  static constexpr Operation<T> row{"matern", pullback, pushforward};

 private:
  static Var<T> slope(const Var<T>& z) {
    const Var<T> none = z.tape().scalar(std::numeric_limits<T>::quiet_NaN());
    return where(equal(z, T(0)), none, curvature(z));
  }
};

template <class T>
struct Matern12 {
  static Var<T> apply(const Var<T>& z) { return append_decay(z, row); }

  static void pullback(Reverse<T>& rule) {
    rule.add(0, scale(rule.cotangent(), PeakSlope<T>::apply(rule.input(0))));
  }

  // At the peak a tangent of 0 does not make up for the slope's derivative, which is NaN.
  static bool pushforward(Forward<T>& rule) {
    if (rule.stack() > 0) return false;
    rule.set(scale(rule.tangent(0), PeakSlope<T>::apply(rule.input(0))));
    return true;
  }

  static constexpr Operation<T> row{"matern12", pullback, pushforward};
};

}  // namespace

template <class T>
Var<T> squared_distances(const Var<T>& x, const Var<T>& y) {
  constexpr const char* name = "squared_distances";
  const NodeShape from = x.tape().node(x, name).shape;
  const NodeShape to = x.tape().node(y, name).shape;
  require(from.rank == 2 && to.rank == 2 && from[1] == to[1], name, [&] {
    return "x [N, D] and y [M, D] are needed, got " + to_string(from.shape()) + " and " +
           to_string(to.shape());
  });
  return PairProducts<T>::apply({x, y, x, y});
}

template <class T>
Var<T> matern12(const Var<T>& squared_distance) {
  return Matern12<T>::apply(squared_distance);
}

template <class T>
Var<T> matern32(const Var<T>& squared_distance) {
  return ScalarUnary<T, Matern32>::apply(squared_distance * T(3));
}

template <class T>
Var<T> matern52(const Var<T>& squared_distance) {
  return ScalarUnary<T, Matern52>::apply(squared_distance * T(5));
}

#define FJORD_INSTANTIATE(T)                                       \
  template Var<T> squared_distances(const Var<T>&, const Var<T>&); \
  template Var<T> matern12(const Var<T>&);                         \
  template Var<T> matern32(const Var<T>&);                         \
  template Var<T> matern52(const Var<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
