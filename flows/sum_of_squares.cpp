#include "fjord/flows/sum_of_squares.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/index.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/flows/increasing_root.hpp"
#include "fjord/flows/spline_bins.hpp"
#include "fjord/flows/toys/quadrature.hpp"

namespace fjord::flows {
namespace {

// The mean over the polynomials of their squares at the places node x, weighted and added up.
//
// Shapes:  x [B, D]; result [B, D].
template <class T>
Var<T> mean_square(const Var<T>& x, const Var<T>& parameters, const SumOfSquaresSettings& settings,
                   std::span<const double> nodes, std::span<const double> weights) {
  const Index dim = x.shape()[1];
  const auto count = static_cast<Index>(nodes.size());
  const Index polynomials = settings.polynomials;
  const Index width = polynomials * dim;  // of one node
  const Index all = count * width;
  Tape<T>& tape = x.tape();
  T* scales = tape.new_values(all);
  T* sums = tape.new_values(all * dim);  // [all, dim]
  std::fill_n(sums, all * dim, T(0));
  for (Index i = 0; i < all; ++i) {
    const auto node = static_cast<std::size_t>(i / width);
    scales[i] = static_cast<T>(nodes[node]);
    sums[(i % dim) * all + i] = static_cast<T>(weights[node] / static_cast<double>(polynomials));
  }
  const auto coefficients = [&](Index l) {
    const Var<T> own = blocks(parameters, dim, l * polynomials, (l + 1) * polynomials);
    return count > 1 ? tile(own, {1, count}) : own;
  };
  const Var<T> places =
      tile(x, {1, count * polynomials}) * tape.borrow(tape.keep_shape({all}), scales);
  Var<T> sum = coefficients(settings.degree);
  for (Index l = settings.degree; l-- > 0;) sum = sum * places + coefficients(l);
  return matmul(square(sum + T(1)), tape.borrow(tape.keep_shape({all, dim}), sums));
}

}  // namespace

template <class T>
SumOfSquares<T>::SumOfSquares(const SumOfSquaresSettings& settings) : settings_(settings) {
  const auto [polynomials, degree] = settings;
  require(polynomials >= 1 && polynomials <= 32 && degree >= 1 && degree <= 16, "sum_of_squares",
          [&settings] {
            return "1 to 32 polynomials of degree 1 to 16 are needed, got " +
                   std::to_string(settings.polynomials) + " of degree " +
                   std::to_string(settings.degree);
          });
  for (const Node& node : gauss_legendre(static_cast<int>(degree) + 1)) {
    nodes_.push_back((node.x + 1) / 2);
    weights_.push_back(node.weight / 2);
  }
}

template <class T>
WithLogSlope<T> SumOfSquares<T>::apply(const Var<T>& x, const Var<T>& parameters) const {
  constexpr T least = T(least_slope);
  const Index dim = x.shape()[1];
  const std::array<double, 1> one{1.0};
  const Var<T> mean = mean_square<T>(x, parameters, settings_, nodes_, weights_) * (1 - least);
  const Var<T> slope = mean_square<T>(x, parameters, settings_, one, one) * (1 - least) + least;
  const Index last = parameter_count() - 1;
  return {blocks(parameters, dim, last, last + 1) + x * (mean + least), log(slope)};
}

template <class T>
WithLogSlope<T> SumOfSquares<T>::invert(const Var<T>& y, const Var<T>& parameters) const {
  const IncreasingMap<T> map = [&](const Var<T>& x) { return apply(x, parameters); };
  const Var<T> x = increasing_root(map, y, least_slope);
  return {x, -apply(x, parameters).log_slope};
}

template <class T>
nn::Description<T> SumOfSquares<T>::describe() {
  return nn::Description<T>("sum_of_squares")
      .set("polynomials", settings_.polynomials)
      .set("degree", settings_.degree);
}

template class SumOfSquares<float>;
template class SumOfSquares<double>;

}  // namespace fjord::flows
