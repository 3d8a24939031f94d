#include "fjord/autodiff/ops/loss.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/index.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/ops/softmax.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord {
namespace {

template <class T>
Var<T> difference(const Var<T>& prediction, const Var<T>& target, const char* op) {
  const Shape a = prediction.tape().node(prediction, op).shape.shape();
  const Shape b = prediction.tape().node(target, op).shape.shape();
  require(a == b, op,
          [&] { return "shapes must match, got " + to_string(a) + " and " + to_string(b); });
  return prediction - target;
}

}  // namespace

template <class T>
Var<T> mean_squared_error(const Var<T>& prediction, const Var<T>& target) {
  return mean(square(difference(prediction, target, "mean_squared_error")));
}

template <class T>
Var<T> huber(const Var<T>& prediction, const Var<T>& target, std::type_identity_t<T> delta) {
  require(delta > 0, "huber",
          [&] { return "delta must be positive, got " + std::to_string(delta); });
  const Var<T> d = difference(prediction, target, "huber");
  // With c = d held between -delta and delta, both branches are c (d - c / 2).
  const Var<T> c = clamp(d, -delta, delta);
  return mean(c * (d - c * T(0.5)));
}

template <class T>
Var<T> cross_entropy(const Var<T>& logits, const Tensor<Index>& targets) {
  const Shape shape = logits.tape().node(logits, "cross_entropy").shape.shape();
  const std::size_t rank = shape.rank();
  require(rank > 0 && shape.without_axis(rank - 1) == targets.shape(), "cross_entropy", [&] {
    return "logits [..., C] and targets [...] are needed, got shapes " + to_string(shape) +
           " and " + to_string(targets.shape());
  });
  for (const Index target : targets.storage()) {
    require(0 <= target && target < shape[rank - 1], "cross_entropy", [&] {
      return "targets must be classes in [0, " + std::to_string(shape[rank - 1]) + "), got " +
             std::to_string(target);
    });
  }
  const Tensor<Index> column = targets.reshaped(targets.shape().with_axis(rank - 1, 1));
  return -mean(gather(log_softmax(logits), column, -1));
}

#define FJORD_INSTANTIATE(T)                                                    \
  template Var<T> mean_squared_error(const Var<T>&, const Var<T>&);             \
  template Var<T> huber(const Var<T>&, const Var<T>&, std::type_identity_t<T>); \
  template Var<T> cross_entropy(const Var<T>&, const Tensor<Index>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
