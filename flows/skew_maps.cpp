#include "fjord/flows/skew_maps.hpp"

#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/hyperbolic.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/flows/columns.hpp"

namespace fjord::flows {
namespace {

// |x|, with the derivative 1 at 0, where the maps have it.
template <class T>
Var<T> magnitude(const Var<T>& x, const Var<T>& is_upper) {
  return where(is_upper, x, -x);
}

}  // namespace

template <class T>
SinhArcsinh<T>::SinhArcsinh(Index dim)
    : skewness_(column_zeros<T>(dim, "sinh_arcsinh")),
      log_tailweight_(column_zeros<T>(dim, "sinh_arcsinh")) {}

template <class T>
SinhArcsinh<T>::SinhArcsinh(nn::PartReader<T>& reader) : SinhArcsinh(read_dim(reader, 2)) {}

template <class T>
Index SinhArcsinh<T>::dim() const {
  return skewness_.value().size();
}

template <class T>
Var<T> SinhArcsinh<T>::map(const Var<T>& x) const {
  Tape<T>& tape = x.tape();
  return sinh((asinh(x) + tape.bind(skewness_)) * exp(tape.bind(log_tailweight_)));
}

template <class T>
Var<T> SinhArcsinh<T>::map_back(const Var<T>& y) const {
  Tape<T>& tape = y.tape();
  return sinh(asinh(y) * exp(-tape.bind(log_tailweight_)) - tape.bind(skewness_));
}

template <class T>
Var<T> SinhArcsinh<T>::log_slope(const Var<T>& x) const {
  Tape<T>& tape = x.tape();
  const Var<T> v = asinh(x);
  const Var<T> log_tailweight = tape.bind(log_tailweight_);
  const Var<T> u = (v + tape.bind(skewness_)) * exp(log_tailweight);
  // y = sinh(u) and x = sinh(v): cosh(u) / cosh(v) times the slope of u, in logarithms.
  return u - v + softplus(u * T(-2)) - softplus(v * T(-2)) + log_tailweight;
}

template <class T>
nn::Description<T> SinhArcsinh<T>::describe() {
  return nn::Description<T>("sinh_arcsinh")
      .set("dim", dim())
      .parameter("skewness", skewness_)
      .parameter("log_tailweight", log_tailweight_);
}

template <class T>
YeoJohnson<T>::YeoJohnson(Index dim) : logit_(column_zeros<T>(dim, "yeo_johnson")) {}

template <class T>
YeoJohnson<T>::YeoJohnson(nn::PartReader<T>& reader) : YeoJohnson(read_dim(reader, 1)) {}

template <class T>
Index YeoJohnson<T>::dim() const {
  return logit_.value().size();
}

template <class T>
Var<T> YeoJohnson<T>::power(const Var<T>& is_upper) const {
  const Var<T> logit = is_upper.tape().bind(logit_);
  // 2 - lambda is that of the opposite logit, without rounding to 0.
  return sigmoid(where(is_upper, logit, -logit)) * T(2);
}

template <class T>
Var<T> YeoJohnson<T>::map(const Var<T>& x) const {
  const Var<T> is_upper = x >= T(0);
  const Var<T> m = power(is_upper);
  const Var<T> y = expm1(log1p(magnitude(x, is_upper) * m) / m);
  return where(is_upper, y, -y);
}

template <class T>
Var<T> YeoJohnson<T>::map_back(const Var<T>& y) const {
  const Var<T> is_upper = y >= T(0);
  const Var<T> m = power(is_upper);
  const Var<T> x = expm1(log1p(magnitude(y, is_upper)) * m) / m;
  return where(is_upper, x, -x);
}

template <class T>
Var<T> YeoJohnson<T>::log_slope(const Var<T>& x) const {
  const Var<T> is_upper = x >= T(0);
  const Var<T> m = power(is_upper);
  // dx/dy = (1 + |y|)^(m - 1), and 1 + |y| = (1 + m |x|)^(1 / m).
  return log1p(magnitude(x, is_upper) * m) * (T(1) / m - T(1));
}

template <class T>
nn::Description<T> YeoJohnson<T>::describe() {
  return nn::Description<T>("yeo_johnson").set("dim", dim()).parameter("logit", logit_);
}

template class SinhArcsinh<float>;
template class SinhArcsinh<double>;
template class YeoJohnson<float>;
template class YeoJohnson<double>;

}  // namespace fjord::flows
