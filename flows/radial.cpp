#include "fjord/flows/radial.hpp"

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/norm.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/flows/check_rows.hpp"

namespace fjord::flows {
namespace {

constexpr double offset_of_one = 0.5413248546129181;  // log(e - 1), of softplus 1

template <class T>
Tensor<T> initial_center(Index dim, const RandomKey& random) {
  require(dim > 0, "radial",
          [&] { return "a positive dim is needed, got " + std::to_string(dim); });
  Tensor<T> center = Tensor<T>::zeros({dim});
  random.normal(center.storage());
  return center;
}

template <class T>
Index radial_dim(nn::PartReader<T>& reader) {
  const Index dim = reader.size("dim");
  reader.expect_weights(static_cast<double>(dim) + 2);
  return dim;
}

}  // namespace

template <class T>
Radial<T>::Radial(Index dim, const RandomKey& random)
    : dim_(dim),
      center_(initial_center<T>(dim, random)),
      p_(Tensor<T>::zeros({1})),
      q_(Tensor<T>::zeros({1})) {}

template <class T>
Radial<T>::Radial(nn::PartReader<T>& reader) : Radial(radial_dim(reader), RandomKey(0)) {}

template <class T>
typename Radial<T>::Ball Radial<T>::bind(Tape<T>& tape) const {
  const Var<T> a = softplus(tape.bind(p_));
  return {tape.bind(center_), a, a * softplus(tape.bind(q_) + T(offset_of_one))};
}

// (b + r) / (a + r) across the radius, (r^2 + 2 a r + a b) / (a + r)^2 along it: positive terms
// only.
template <class T>
Var<T> Radial<T>::log_det(const Ball& ball, const Var<T>& r) const {
  const Var<T> a_r = ball.a + r;
  const Var<T> across = log((ball.b + r) / a_r);
  const Var<T> along = log((r * (r + ball.a * T(2)) + ball.a * ball.b) / square(a_r));
  return sum(across * static_cast<T>(dim_ - 1) + along, {1});
}

template <class T>
WithLogDet<T> Radial<T>::forward_with_log_det(const Var<T>& x, Context<T>& /*context*/) const {
  check_rows(x, dim_, "radial");
  const Ball ball = bind(x.tape());
  const Var<T> away = x - ball.center;
  const Var<T> r = norm(away, {1}, true);
  return {ball.center + away * ((ball.b + r) / (ball.a + r)), log_det(ball, r)};
}

// The distance R from the center was r with r^2 + (b - R) r = a R.
template <class T>
WithLogDet<T> Radial<T>::inverse_with_log_det(const Var<T>& y, Context<T>& /*context*/) const {
  check_rows(y, dim_, "radial");
  const Ball ball = bind(y.tape());
  const Var<T> away = y - ball.center;
  const Var<T> distance = norm(away, {1}, true);
  const Var<T> linear = ball.b - distance;
  const Var<T> product = ball.a * distance;
  const Var<T> root = sqrt(square(linear) + product * T(4));
  // The form without a difference of like numbers; nothing flows through the other one.
  const Var<T> r = where(linear > T(0), product * T(2) / (linear + root), (root - linear) * T(0.5));
  return {ball.center + away * ((ball.a + r) / (ball.b + r)), -log_det(ball, r)};
}

template <class T>
nn::Description<T> Radial<T>::describe() {
  return nn::Description<T>("radial")
      .set("dim", dim_)
      .parameter("center", center_)
      .parameter("p", p_)
      .parameter("q", q_);
}

template class Radial<float>;
template class Radial<double>;

}  // namespace fjord::flows
