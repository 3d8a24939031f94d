#include "fjord/autodiff/derivatives.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/sweep.hpp"

namespace fjord {

template <class T>
Var<T> gradient(const Function<T>& f, const Var<T>& x) {
  const Var<T> own = identity(x);
  const Var<T> y = f(own);
  const NodeShape shape = y.tape().node(y, "gradient").shape;
  require(shape.size == 1, "gradient", [&] {
    return "the function must give one number, got shape " + to_string(shape.shape()) +
           "; sum it, or use a vector-Jacobian product";
  });
  return pullback<T>({y}, {y.tape().filled(shape, T(1))}, {own}).front();
}

template <class T>
Var<T> jvp(const Function<T>& f, const Var<T>& x, const Var<T>& tangent) {
  const Var<T> own = identity(x);
  return pushforward(own, tangent, f(own));
}

template <class T>
Var<T> vjp(const Function<T>& f, const Var<T>& x, const Var<T>& cotangent) {
  const Var<T> own = identity(x);
  return pullback<T>({f(own)}, {cotangent}, {own}).front();
}

template <class T>
Var<T> hvp(const Function<T>& f, const Var<T>& x, const Var<T>& v) {
  return jvp<T>([&](const Var<T>& at) { return gradient(f, at); }, x, v);
}

template <class T>
Var<T> unit_tangents(const Var<T>& x) {
  const Shape shape = x.shape();
  require(shape.rank() == 2, "unit_tangents",
          [&] { return "rows [B, D] are needed, got " + to_string(shape); });
  const Index rows = shape[0];
  const Index dim = shape[1];
  Tape<T>& tape = x.tape();
  const NodeShape stacked = tape.keep_shape({rows, dim, dim});
  T* numbers = tape.new_values(stacked.size);
  std::fill_n(numbers, stacked.size, T(0));
  for (Index d = 0; d < dim; ++d) std::fill_n(numbers + (d * dim + d) * rows, rows, T(1));
  return tape.borrow(TensorView<T>(numbers, stacked.shape(), Order::column_major));
}

template <class T>
Tensor<T> jacobian(const Function<T>& f, const Tensor<T>& x) {
  Tape<T> tape;
  const Var<T> in = tape.input(x);
  const Var<T> out = f(in);
  const Shape rows = out.shape();
  // Column by column, in C order on both sides: entry (i, j) of the flat matrix is d out_i / d
  // in_j.
  std::vector<T> matrix(static_cast<std::size_t>(rows.size() * x.size()));
  for (Index j = 0; j < x.size(); ++j) {
    std::vector<T> unit(static_cast<std::size_t>(x.size()), T(0));
    unit[static_cast<std::size_t>(j)] = T(1);
    const Var<T> tangent = tape.input(Tensor<T>::from(x.shape(), unit));
    const std::vector<T> column = pushforward_values<T>({in}, {tangent}, {out}).front().to_vector();
    for (Index i = 0; i < rows.size(); ++i) {
      matrix[static_cast<std::size_t>(i * x.size() + j)] = column[static_cast<std::size_t>(i)];
    }
  }
  std::vector<Index> sizes(rows.begin(), rows.end());
  sizes.insert(sizes.end(), x.shape().begin(), x.shape().end());
  return Tensor<T>::from(Shape(sizes), matrix);
}

#define FJORD_INSTANTIATE(T)                                             \
  template Var<T> gradient(const Function<T>&, const Var<T>&);           \
  template Var<T> jvp(const Function<T>&, const Var<T>&, const Var<T>&); \
  template Var<T> vjp(const Function<T>&, const Var<T>&, const Var<T>&); \
  template Var<T> hvp(const Function<T>&, const Var<T>&, const Var<T>&); \
  template Var<T> unit_tangents(const Var<T>&);                          \
  template Tensor<T> jacobian(const Function<T>&, const Tensor<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
