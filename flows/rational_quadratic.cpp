#include "fjord/flows/rational_quadratic.hpp"

#include <cmath>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/index.hpp"
#include "fjord/autodiff/ops/rounding.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/tape.hpp"
#include "fjord/flows/spline_bins.hpp"

namespace fjord::flows {
namespace {

template <class T>
struct Knots {
  Bins<T> x;
  Bins<T> y;
  Var<T> slopes;  // before softplus, [B, (K + 1) D]
};

// One bin of every entry: the names are those of Durkan et al.
template <class T>
struct Piece {
  Bin<T> x;
  Bin<T> y;
  Var<T> s;   // height over width
  Var<T> d0;  // slopes at its ends
  Var<T> d1;
};

// The place of a number within a bin, in [0, 1]: beside a knot, rounding puts some outside, and the
// sums below might then be negative.
template <class T>
Var<T> place_in(const Bin<T>& bin, const Var<T>& number) {
  return clamp((number - bin.lower) / bin.size, 0, 1);
}

template <class T>
Knots<T> knots_of(const Var<T>& parameters, Index bins) {
  const Index dim = parameters.shape()[1] / (3 * bins - 1);
  const Var<T> end = zeros_like(blocks(parameters, dim, 0, 1));
  return {make_bins(blocks(parameters, dim, 0, bins), dim),
          make_bins(blocks(parameters, dim, bins, 2 * bins), dim),
          concatenate<T>({end, blocks(parameters, dim, 2 * bins, 3 * bins - 1), end}, 1)};
}

template <class T>
Var<T> slope_at(const Knots<T>& knots, const TensorView<Index>& index) {
  constexpr double least = RationalQuadraticSpline<T>::least_slope;
  static const T one = static_cast<T>(std::log(std::expm1(1 - least)));
  return softplus(gather(knots.slopes, index, 1) + one) + T(least);
}

template <class T>
Piece<T> piece_at(const Knots<T>& knots, const TensorView<Index>& index, Tape<T>& tape) {
  const Bin<T> x = bin_at(knots.x, index);
  const Bin<T> y = bin_at(knots.y, index);
  return {x, y, y.size / x.size, slope_at(knots, index), slope_at(knots, next_blocks(index, tape))};
}

// The value and the log of the slope at the place theta in [0, 1] of the bin. All terms of the sums
// are positive: however far the slopes are from each other, no digits are lost.
template <class T>
WithLogSlope<T> evaluate(const Piece<T>& p, const Var<T>& theta, const Var<T>& rest) {
  const Var<T> both = theta * rest;
  const Var<T> squared = square(theta);
  const Var<T> rest_squared = square(rest);
  const Var<T> denominator = p.s * (squared + rest_squared) + (p.d0 + p.d1) * both;
  const Var<T> numerator = p.s * squared + p.d0 * both;
  const Var<T> slope = p.d1 * squared + p.s * both * T(2) + p.d0 * rest_squared;
  return {p.y.lower + p.y.size * (numerator / denominator),
          log(slope) + log(p.s / denominator) * T(2)};
}

}  // namespace

template <class T>
WithLogSlope<T> RationalQuadraticSpline<T>::apply_unit(const Var<T>& u,
                                                       const Var<T>& parameters) const {
  const Knots<T> knots = knots_of(parameters, this->bins());
  const Piece<T> piece = piece_at(knots, find_bins(u, knots.x), u.tape());
  const Var<T> theta = place_in(piece.x, u);
  return evaluate(piece, theta, T(1) - theta);
}

// With r the place within the height and w = theta / (1 - theta), numerator = r denominator is
// s (1 - r) w^2 + b w - s r = 0. Its positive root as a fraction whose parts add up without loss.
template <class T>
WithLogSlope<T> RationalQuadraticSpline<T>::invert_unit(const Var<T>& v,
                                                        const Var<T>& parameters) const {
  const Knots<T> knots = knots_of(parameters, this->bins());
  const Piece<T> p = piece_at(knots, find_bins(v, knots.y), v.tape());
  const Var<T> r = place_in(p.y, v);
  const Var<T> above = T(1) - r;
  const Var<T> b = p.d0 * above - p.d1 * r;
  const Var<T> root = sqrt(square(b) + square(p.s) * r * above * T(4)) + abs(b);
  const Var<T> rising = b >= T(0);
  const Var<T> over = where(rising, p.s * r * T(2), root);
  const Var<T> under = where(rising, root, p.s * above * T(2));
  const Var<T> all = over + under;
  const Var<T> theta = over / all;
  return {p.x.lower + p.x.size * theta, -evaluate(p, theta, under / all).log_slope};
}

template class RationalQuadraticSpline<float>;
template class RationalQuadraticSpline<double>;

}  // namespace fjord::flows
