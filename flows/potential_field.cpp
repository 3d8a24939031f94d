#include "fjord/flows/potential_field.hpp"

#include <algorithm>
#include <cmath>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/norm.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
#include "fjord/flows/check_rows.hpp"

namespace fjord::flows {
namespace {

// The width of s = (x, given, t).
Index input_width(const PotentialOptions& options) {
  return options.dim + options.given + 1;
}

Index rank_of(const PotentialOptions& options) {
  return std::min(options.rank, input_width(options));
}

PotentialOptions checked(const PotentialOptions& o) {
  require(o.dim > 0 && o.width > 0 && o.layers > 0 && o.rank > 0 && o.given >= 0, "potential_field",
          "dim, width, layers and rank must be positive, given not negative");
  return o;
}

template <class T>
PotentialOptions read_potential(nn::PartReader<T>& reader) {
  const PotentialOptions o{.dim = reader.size("dim"),
                           .width = reader.size("width"),
                           .layers = reader.size("layers"),
                           .rank = reader.size("rank"),
                           .given = reader.count("given")};
  const auto size = [](Index n) { return static_cast<double>(n); };
  reader.expect_weights(size(o.width) * (size(input_width(o)) + 2) +
                        size(o.layers) * size(o.width) * (size(o.width) + 1) +
                        size(rank_of(o)) * size(input_width(o)) + size(o.dim) + 1);
  return o;
}

// Of variance 1 / in before truncation, as in nn::Linear.
template <class T>
Tensor<T> initial_factor(const PotentialOptions& options, const RandomKey& random) {
  Tensor<T> a = Tensor<T>::zeros({rank_of(options), input_width(options)});
  random.truncated_normal(a.storage());
  const auto in = static_cast<double>(input_width(options));
  for (T& entry : a.storage()) entry *= static_cast<T>(1 / std::sqrt(in));
  return a;
}

// log(exp x + exp -x) without overflow.
template <class T>
Var<T> antiderivative_of_tanh(const Var<T>& x) {
  return softplus(x * T(2)) - x;
}

// The derivative of tanh, from its value.
template <class T>
Var<T> tanh_slope(const Var<T>& tanh) {
  return T(1) - square(tanh);
}

}  // namespace

// tanh [B, m] of what every layer gives, and the derivatives z of w . N in what follows each: z of
// the last layer is w, z[i] is what comes back to u before layer i + 1.
template <class T>
struct PotentialField<T>::Pass {
  Var<T> s;
  std::span<Var<T>> tanhs;
  std::span<Var<T>> z;
};

template <class T>
PotentialField<T>::PotentialField(const PotentialOptions& options, const RandomKey& random)
    : options_(checked(options)),
      w_(Tensor<T>::ones({options.width})),
      a_(initial_factor<T>(options, random.fold(0))),
      b_(Tensor<T>::zeros({options.dim})),
      c_(Tensor<T>(T(0))) {
  for (Index i = 0; i <= options.layers; ++i) {
    const Index in = i == 0 ? input_width(options) : options.width;
    layers_.push_back(std::make_unique<nn::Linear<T>>(
        in, options.width, random.fold(static_cast<std::uint64_t>(i) + 1)));
  }
}

template <class T>
PotentialField<T>::PotentialField(nn::PartReader<T>& reader)
    : PotentialField(read_potential(reader), RandomKey(0)) {}

template <class T>
typename PotentialField<T>::Pass PotentialField<T>::pass(const Var<T>& t, const Var<T>& x,
                                                         const Var<T>& given) const {
  check_rows(x, options_.dim, "flow");
  if (options_.given > 0) check_given(given, x, options_.given, "flow");
  Tape<T>& tape = x.tape();
  const Var<T> time = broadcast_to(t, {x.shape()[0], 1});
  const std::size_t count = layers_.size();
  auto* records = tape.template new_records<Var<T>>(2 * count);
  Pass pass{
      options_.given == 0 ? concatenate<T>({x, time}, 1) : concatenate<T>({x, given, time}, 1),
      {records, count},
      {records + count, count}};
  const T step = static_cast<T>(1.0 / static_cast<double>(options_.layers));
  Var<T> u = pass.s;
  for (std::size_t i = 0; i < count; ++i) {
    const Var<T> y = layers_[i]->forward(u);
    pass.tanhs[i] = tanh(y);
    if (i + 1 == count) break;
    const Var<T> added = antiderivative_of_tanh(y);
    u = i == 0 ? added : u + added * step;
  }
  pass.z[count - 1] = tape.bind(w_);
  for (std::size_t i = count - 1; i > 0; --i) {
    const Var<T> back = matmul(pass.tanhs[i] * pass.z[i], layers_[i]->bind(tape)[0]);
    pass.z[i - 1] = pass.z[i] + back * step;
  }
  return pass;
}

template <class T>
Var<T> PotentialField<T>::gradient(const Pass& pass, Index first, Index last) const {
  Tape<T>& tape = pass.s.tape();
  const Var<T> a = tape.bind(a_);
  const Var<T> k = slice(layers_[0]->bind(tape)[0], 1, first, last);
  return matmul(pass.tanhs[0] * pass.z[0], k) +
         matmul(matmul(pass.s, transpose(a)), slice(a, 1, first, last));
}

template <class T>
Var<T> PotentialField<T>::negative_gradient(const Pass& pass) const {
  return -(gradient(pass, 0, options_.dim) + pass.s.tape().bind(b_));
}

template <class T>
Var<T> PotentialField<T>::trace_of_hessian(const Pass& pass) const {
  Tape<T>& tape = pass.s.tape();
  const Index rows = pass.s.shape()[0];
  const Index width = options_.width;
  const Var<T> k = slice(layers_[0]->bind(tape)[0], 1, 0, options_.dim);
  Var<T> sum_of_layers = tanh_slope(pass.tanhs[0]) * pass.z[0] * sum_squares(k, {1});
  // The derivatives of u in x, transposed: [B, D, m].
  Var<T> jacobian = transpose(k) * reshape(pass.tanhs[0], {rows, 1, width});
  const T step = static_cast<T>(1.0 / static_cast<double>(options_.layers));
  for (std::size_t i = 1; i < layers_.size(); ++i) {
    const Var<T> product = matmul(jacobian, transpose(layers_[i]->bind(tape)[0]));
    sum_of_layers =
        sum_of_layers + tanh_slope(pass.tanhs[i]) * pass.z[i] * sum_squares(product, {1}) * step;
    if (i + 1 == layers_.size()) break;
    jacobian = jacobian + product * reshape(pass.tanhs[i], {rows, 1, width}) * step;
  }
  const Var<T> quadratic = sum_squares(slice(tape.bind(a_), 1, 0, options_.dim));
  return sum(sum_of_layers, {1}, true) + quadratic;
}

template <class T>
Var<T> PotentialField<T>::slope(const Var<T>& t, const Var<T>& x, const Var<T>& given) const {
  return negative_gradient(pass(t, x, given));
}

template <class T>
Var<T> PotentialField<T>::with_divergence(const Var<T>& t, const Var<T>& x,
                                          const Var<T>& given) const {
  const Pass p = pass(t, x, given);
  return concatenate<T>({negative_gradient(p), -trace_of_hessian(p)}, 1);
}

template <class T>
Var<T> PotentialField<T>::potential_time_slope(const Var<T>& t, const Var<T>& x,
                                               const Var<T>& given) const {
  const Index last = input_width(options_);
  const Var<T> slope = gradient(pass(t, x, given), last - 1, last);
  return reshape(slope, {x.shape()[0]}) + x.tape().bind(c_);
}

template <class T>
nn::Description<T> PotentialField<T>::describe() {
  nn::Description<T> description("potential_field");
  description.set("dim", options_.dim)
      .set("width", options_.width)
      .set("layers", options_.layers)
      .set("rank", options_.rank)
      .set("given", options_.given);
  for (std::size_t i = 0; i < layers_.size(); ++i)
    description.inner("layers." + std::to_string(i), *layers_[i]);
  return description.parameter("w", w_).parameter("a", a_).parameter("b", b_).parameter("c", c_);
}

template class PotentialField<float>;
template class PotentialField<double>;

}  // namespace fjord::flows
