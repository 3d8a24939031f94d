#include "fjord/flows/rational_quadratic.hpp"

#include <cmath>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/index.hpp"
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
  Var<T> excess;  // d0 + d1 - 2 s
};

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
  Piece<T> piece{bin_at(knots.x, index),
                 bin_at(knots.y, index),
                 {},
                 slope_at(knots, index),
                 slope_at(knots, next_blocks(index, tape)),
                 {}};
  piece.s = piece.y.size / piece.x.size;
  piece.excess = piece.d0 + piece.d1 - piece.s * T(2);
  return piece;
}

// The value and the log of the slope at the place theta in [0, 1] of the bin.
template <class T>
WithLogSlope<T> evaluate(const Piece<T>& p, const Var<T>& theta) {
  const Var<T> rest = T(1) - theta;
  const Var<T> both = theta * rest;
  const Var<T> squared = square(theta);
  const Var<T> denominator = p.s + p.excess * both;
  const Var<T> numerator = p.s * squared + p.d0 * both;
  const Var<T> slope = p.d1 * squared + p.s * both * T(2) + p.d0 * square(rest);
  return {p.y.lower + p.y.size * numerator / denominator,
          log(slope) + log(p.s / denominator) * T(2)};
}

}  // namespace

template <class T>
WithLogSlope<T> RationalQuadraticSpline<T>::apply_unit(const Var<T>& u,
                                                       const Var<T>& parameters) const {
  const Knots<T> knots = knots_of(parameters, this->bins());
  const Piece<T> piece = piece_at(knots, find_bins(u, knots.x), u.tape());
  return evaluate(piece, (u - piece.x.lower) / piece.x.size);
}

// The root of a quadratic equation, in the form that loses no digits (Durkan et al., app. A.3).
template <class T>
WithLogSlope<T> RationalQuadraticSpline<T>::invert_unit(const Var<T>& v,
                                                        const Var<T>& parameters) const {
  const Knots<T> knots = knots_of(parameters, this->bins());
  const Piece<T> p = piece_at(knots, find_bins(v, knots.y), v.tape());
  const Var<T> height = v - p.y.lower;
  const Var<T> shared = height * p.excess;
  const Var<T> a = p.y.size * (p.s - p.d0) + shared;
  const Var<T> b = p.y.size * p.d0 - shared;
  const Var<T> c = p.s * height;
  const Var<T> theta = c * T(2) / (b + sqrt(square(b) + a * c * T(4)));
  return {p.x.lower + p.x.size * theta, -evaluate(p, theta).log_slope};
}

template class RationalQuadraticSpline<float>;
template class RationalQuadraticSpline<double>;

}  // namespace fjord::flows
