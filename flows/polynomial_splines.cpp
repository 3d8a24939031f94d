#include "fjord/flows/polynomial_splines.hpp"

#include <algorithm>
#include <cmath>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/index.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/tape.hpp"
#include "fjord/flows/spline_bins.hpp"

namespace fjord::flows {
namespace {

// Of bins of one width, those of the entries u, for `gather`.
template <class T>
TensorView<Index> equal_bins(const Var<T>& u, Index count) {
  const Shape shape = u.shape();
  auto* index = u.tape().template new_records<Index>(static_cast<std::size_t>(shape.size()));
  const T* numbers = u.value().data();
  for (Index i = 0; i < shape.size(); ++i) {
    const auto bin = static_cast<Index>(numbers[i] * static_cast<T>(count));
    index[i] = std::clamp<Index>(bin, 0, count - 1) * shape[1] + i / shape[0];
  }
  return {index, shape, Order::column_major};
}

// The numbers of the bins as a leaf.
template <class T>
Var<T> bin_numbers(const TensorView<Index>& index, const Var<T>& like) {
  Tape<T>& tape = like.tape();
  const Index count = index.shape().size();
  T* numbers = tape.new_values(count);
  std::transform(index.data(), index.data() + count, numbers,
                 [columns = index.shape()[1]](Index k) {
                   const Index row = k / columns;
                   return static_cast<T>(row);
                 });
  return tape.borrow(tape.node(like.index()).shape, numbers);
}

// A quadratic spline.
template <class T>
struct Densities {
  Bins<T> x;
  Bins<T> y;     // whose sizes are areas under the density
  Var<T> knots;  // the density at the ends of the bins, [B, (K + 1) D]
};

template <class T>
Densities<T> densities_of(const Var<T>& parameters, Index bins) {
  const Index dim = parameters.shape()[1] / (2 * bins - 1);
  const Bins<T> x = unit_bins(make_bins(blocks(parameters, dim, 0, bins), dim), dim);
  const Var<T> inner = bounded_exp(blocks(parameters, dim, bins, 2 * bins - 1));
  const Var<T> around = blocks(x.sizes, dim, 0, bins - 1) + blocks(x.sizes, dim, 1, bins);
  // What the densities at the ends must be before all are divided by it: the area is 1 then.
  const Var<T> ends = blocks(x.sizes, dim, 0, 1) + blocks(x.sizes, dim, bins - 1, bins);
  const Var<T> unit = running_sums(inner * around, dim).back() / (T(2) - ends);
  const Var<T> one = ones_like(unit);
  const Var<T> knots = concatenate<T>({one, inner / tile(unit, {1, bins - 1}), one}, 1);
  const Var<T> heights = blocks(knots, dim, 0, bins) + blocks(knots, dim, 1, bins + 1);
  const Var<T> areas = x.sizes * heights * T(0.5);
  return {x, {areas, concatenate(running_sums(areas, dim), 1), one}, knots};
}

template <class T>
struct QuadraticPiece {
  Bin<T> x;
  Bin<T> y;
  Var<T> first;   // density at its lower end
  Var<T> change;  // to its upper end
};

template <class T>
QuadraticPiece<T> piece_at(const Densities<T>& spline, const TensorView<Index>& index) {
  const Var<T> first = gather(spline.knots, index, 1);
  const Var<T> last = gather(spline.knots, next_blocks(index, first.tape()), 1);
  return {bin_at(spline.x, index), bin_at(spline.y, index), first, last - first};
}

// One bin of a cubic: the polynomial of the place in it, from 0 to 1, is
// (first + (bend + curl place) place) place, times the width.
template <class T>
struct Cubic {
  Bin<T> x;
  Bin<T> y;
  Var<T> first;
  Var<T> bend;
  Var<T> curl;

  Var<T> rise(const Var<T>& place) const { return (first + (bend + curl * place) * place) * place; }

  Var<T> slope(const Var<T>& place) const {
    return first + (bend * T(2) + curl * place * T(3)) * place;
  }
};

template <class T>
struct Cubics {
  Bins<T> x;
  Bins<T> y;
  Var<T> secants;
  Var<T> slopes;  // at the knots, [B, (K + 1) D]
};

template <class T>
Cubics<T> cubics_of(const Var<T>& parameters, Index bins) {
  const Index dim = parameters.shape()[1] / (2 * bins + 2);
  const Bins<T> x = unit_bins(make_bins(blocks(parameters, dim, 0, bins), dim), dim);
  const Bins<T> y = unit_bins(make_bins(blocks(parameters, dim, bins, 2 * bins), dim), dim);
  const Var<T> secants = y.sizes / x.sizes;
  const auto left = [&](const Var<T>& of) { return blocks(of, dim, 0, bins - 1); };
  const auto right = [&](const Var<T>& of) { return blocks(of, dim, 1, bins); };
  // Half the slope of the parabola through a knot and its neighbours.
  const Var<T> parabola = (left(secants) * right(x.sizes) + right(secants) * left(x.sizes)) /
                          ((left(x.sizes) + right(x.sizes)) * T(2));
  const Var<T> inner = minimum(minimum(left(secants), right(secants)), parabola) * T(2);
  const auto end = [&](Index number, Index bin) {
    const Var<T> a = blocks(parameters, dim, 2 * bins + number, 2 * bins + number + 1);
    return sigmoid(a - std::log(T(2))) * T(3) * blocks(secants, dim, bin, bin + 1);
  };
  return {x, y, secants, concatenate<T>({end(0, 0), inner, end(1, bins - 1)}, 1)};
}

template <class T>
Cubic<T> cubic_at(const Cubics<T>& spline, const TensorView<Index>& index) {
  const Var<T> first = gather(spline.slopes, index, 1);
  const Var<T> last = gather(spline.slopes, next_blocks(index, first.tape()), 1);
  const Var<T> secant = gather(spline.secants, index, 1);
  return {bin_at(spline.x, index), bin_at(spline.y, index), first,
          secant * T(3) - first * T(2) - last, first + last - secant * T(2)};
}

// The place where an increasing cubic rises to a number, by Newton's method between bounds.
template <class T>
T place_of(T rise, T first, T bend, T curl) {
  T low = 0;
  T high = 1;
  T place = T(0.5);
  for (int i = 0; i < 100; ++i) {
    const T error = (first + (bend + curl * place) * place) * place - rise;
    (error > 0 ? high : low) = place;
    T next = place - error / (first + (2 * bend + 3 * curl * place) * place);
    if (!(next >= low && next <= high)) next = (low + high) / 2;
    if (next == place) break;
    place = next;
  }
  return place;
}

// The places as a leaf.
template <class T>
Var<T> places_of(const Cubic<T>& cubic, const Var<T>& rise) {
  Tape<T>& tape = rise.tape();
  const Index count = rise.shape().size();
  T* places = tape.new_values(count);
  const T* numbers = rise.value().data();
  const T* first = cubic.first.value().data();
  const T* bend = cubic.bend.value().data();
  const T* curl = cubic.curl.value().data();
  for (Index i = 0; i < count; ++i) places[i] = place_of(numbers[i], first[i], bend[i], curl[i]);
  return tape.borrow(tape.node(rise.index()).shape, places);
}

}  // namespace

template <class T>
WithLogSlope<T> LinearSpline<T>::apply_unit(const Var<T>& u, const Var<T>& parameters) const {
  const Bins<T> bins = make_bins(parameters, u.shape()[1]);
  const T count = static_cast<T>(this->bins());
  const TensorView<Index> at = equal_bins(u, this->bins());
  const Bin<T> bin = bin_at(bins, at);
  const Var<T> place = u * count - bin_numbers(at, u);
  return {bin.lower + bin.size * place, log(bin.size * count)};
}

template <class T>
WithLogSlope<T> LinearSpline<T>::invert_unit(const Var<T>& v, const Var<T>& parameters) const {
  const Bins<T> bins = make_bins(parameters, v.shape()[1]);
  const T count = static_cast<T>(this->bins());
  const TensorView<Index> at = find_bins(v, bins);
  const Bin<T> bin = bin_at(bins, at);
  return {((v - bin.lower) / bin.size + bin_numbers(at, v)) / count, -log(bin.size * count)};
}

template <class T>
WithLogSlope<T> QuadraticSpline<T>::apply_unit(const Var<T>& u, const Var<T>& parameters) const {
  const Densities<T> spline = densities_of(parameters, this->bins());
  const QuadraticPiece<T> p = piece_at(spline, find_bins(u, spline.x));
  const Var<T> place = (u - p.x.lower) / p.x.size;
  const Var<T> gain = p.change * place;
  return {p.y.lower + (p.first + gain * T(0.5)) * place * p.x.size, log(p.first + gain)};
}

template <class T>
WithLogSlope<T> QuadraticSpline<T>::invert_unit(const Var<T>& v, const Var<T>& parameters) const {
  const Densities<T> spline = densities_of(parameters, this->bins());
  const QuadraticPiece<T> p = piece_at(spline, find_bins(v, spline.y));
  const Var<T> rise = (v - p.y.lower) / p.x.size;
  const Var<T> density = sqrt(square(p.first) + p.change * rise * T(2));
  return {p.x.lower + rise * T(2) / (p.first + density) * p.x.size, -log(density)};
}

template <class T>
WithLogSlope<T> CubicSpline<T>::apply_unit(const Var<T>& u, const Var<T>& parameters) const {
  const Cubics<T> spline = cubics_of(parameters, this->bins());
  const Cubic<T> cubic = cubic_at(spline, find_bins(u, spline.x));
  const Var<T> place = (u - cubic.x.lower) / cubic.x.size;
  return {cubic.y.lower + cubic.rise(place) * cubic.x.size, log(cubic.slope(place))};
}

// Two recorded steps of Newton's method from the root give it its derivatives up to the third: a
// step squares the error of the Taylor series, which is 1 for a constant.
template <class T>
WithLogSlope<T> CubicSpline<T>::invert_unit(const Var<T>& v, const Var<T>& parameters) const {
  const Cubics<T> spline = cubics_of(parameters, this->bins());
  const Cubic<T> cubic = cubic_at(spline, find_bins(v, spline.y));
  const Var<T> rise = (v - cubic.y.lower) / cubic.x.size;
  Var<T> place = places_of(cubic, rise);
  for (int step = 0; step < 2; ++step)
    place = place - (cubic.rise(place) - rise) / cubic.slope(place);
  return {cubic.x.lower + place * cubic.x.size, -log(cubic.slope(place))};
}

template class LinearSpline<float>;
template class LinearSpline<double>;
template class QuadraticSpline<float>;
template class QuadraticSpline<double>;
template class CubicSpline<float>;
template class CubicSpline<double>;

}  // namespace fjord::flows
