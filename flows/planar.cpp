#include "fjord/flows/planar.hpp"

#include <algorithm>
#include <cmath>

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
#include "fjord/flows/check_rows.hpp"
#include "fjord/flows/increasing_root.hpp"

namespace fjord::flows {
namespace {

constexpr double softplus_one = 0.5413248546129181;  // log(e - 1), of softplus 1

template <class T>
Tensor<T> initial_normal(Index dim, const RandomKey& random) {
  require(dim > 0, "planar",
          [&] { return "a positive dim is needed, got " + std::to_string(dim); });
  Tensor<T> w = Tensor<T>::zeros({dim, 1});
  random.normal(w.storage());
  const T deviation = static_cast<T>(1 / std::sqrt(static_cast<double>(dim)));
  for (T& number : w.storage()) number *= deviation;
  return w;
}

template <class T>
Index planar_dim(nn::PartReader<T>& reader) {
  const Index dim = reader.size("dim");
  reader.expect_weights(2 * static_cast<double>(dim) + 1);
  return dim;
}

// The log of the slope 1 + (s - 1) (1 - tanh^2), as a sum of positive terms.
template <class T>
Var<T> planar_log_slope(const Var<T>& tanh_of, const Var<T>& s) {
  const Var<T> squared = square(tanh_of);
  return log(squared + (T(1) - squared) * s);
}

}  // namespace

template <class T>
Planar<T>::Planar(Index dim, const RandomKey& random)
    : dim_(dim),
      w_(initial_normal<T>(dim, random)),
      u_(Tensor<T>::zeros({1, dim})),
      b_(Tensor<T>::zeros({1})) {}

template <class T>
Planar<T>::Planar(nn::PartReader<T>& reader) : Planar(planar_dim(reader), RandomKey(0)) {}

template <class T>
typename Planar<T>::Plane Planar<T>::bind(Tape<T>& tape) const {
  const Var<T> w = tape.bind(w_);
  const Var<T> u = tape.bind(u_);
  const Var<T> product = matmul(u, w);
  const Var<T> s = softplus(product + T(softplus_one));
  const Var<T> along = (s - T(1) - product) / sum(square(w));
  return {w, u + along * swap_axes(w, 0, 1), s, tape.bind(b_)};
}

template <class T>
WithLogDet<T> Planar<T>::forward_with_log_det(const Var<T>& x, Context<T>& /*context*/) const {
  check_rows(x, dim_, "planar");
  const Plane plane = bind(x.tape());
  const Var<T> moved = tanh(matmul(x, plane.w) + plane.b);
  return {x + moved * plane.v, sum(planar_log_slope(moved, plane.s), {1})};
}

template <class T>
WithLogDet<T> Planar<T>::inverse_with_log_det(const Var<T>& y, Context<T>& /*context*/) const {
  check_rows(y, dim_, "planar");
  const Plane plane = bind(y.tape());
  const IncreasingMap<T> along_w = [&](const Var<T>& a) -> WithLogSlope<T> {
    const Var<T> moved = tanh(a + plane.b);
    return {a + moved * (plane.s - T(1)), planar_log_slope(moved, plane.s)};
  };
  const double least_slope = std::min(1.0, static_cast<double>(plane.s.item()));
  const Var<T> moved = tanh(increasing_root(along_w, matmul(y, plane.w), least_slope) + plane.b);
  return {y - moved * plane.v, -sum(planar_log_slope(moved, plane.s), {1})};
}

template <class T>
nn::Description<T> Planar<T>::describe() {
  return nn::Description<T>("planar")
      .set("dim", dim_)
      .parameter("w", w_)
      .parameter("u", u_)
      .parameter("b", b_);
}

template class Planar<float>;
template class Planar<double>;

}  // namespace fjord::flows
