#include "fjord/autodiff/ops/normalize.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord {
namespace {

template <class T>
void check_shape(const Var<T>& x, const Var<T>& factor, const Shape& expected, const char* op) {
  const Shape got = x.tape().node(factor, op).shape.shape();
  require(got == expected, op, [&] {
    return "weight and bias of shape " + to_string(expected) + " are needed, got " + to_string(got);
  });
}

template <class T>
Var<T> normalized(const Var<T>& x, Index axis, T eps) {
  const Var<T> deviation = x - mean(x, {axis}, true);
  return deviation / sqrt(mean(square(deviation), {axis}, true) + eps);
}

}  // namespace

template <class T>
Var<T> layer_norm(const Var<T>& x, const Var<T>& weight, const Var<T>& bias,
                  std::type_identity_t<T> eps) {
  const Shape shape = x.tape().node(x, "layer_norm").shape.shape();
  normalized_axis(-1, shape.rank(), "layer_norm");
  const Shape features{shape[shape.rank() - 1]};
  check_shape(x, weight, features, "layer_norm");
  check_shape(x, bias, features, "layer_norm");
  return normalized(x, -1, eps) * weight + bias;
}

template <class T>
Var<T> batch_norm(const Var<T>& x, const Var<T>& weight, const Var<T>& bias,
                  std::type_identity_t<T> eps) {
  const Shape shape = x.tape().node(x, "batch_norm").shape.shape();
  normalized_axis(0, shape.rank(), "batch_norm");
  check_shape(x, weight, shape.without_axis(0), "batch_norm");
  check_shape(x, bias, shape.without_axis(0), "batch_norm");
  return normalized(x, 0, eps) * weight + bias;
}

#define FJORD_INSTANTIATE(T)                                              \
  template Var<T> layer_norm(const Var<T>&, const Var<T>&, const Var<T>&, \
                             std::type_identity_t<T>);                    \
  template Var<T> batch_norm(const Var<T>&, const Var<T>&, const Var<T>&, std::type_identity_t<T>);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
