#include "fjord/flows/elementwise.hpp"

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/flows/check_rows.hpp"

namespace fjord::flows {

template <class T>
void Elementwise<T>::check(const Var<T>& x) const {
  const Shape& shape = x.shape();
  require(shape.rank() == 2, "elementwise",
          [&] { return "rows are needed, got shape " + to_string(shape); });
  if (dim() > 0) check_rows(x, dim(), "elementwise");
}

template <class T>
Var<T> Elementwise<T>::forward(const Var<T>& x, Context<T>&) const {
  check(x);
  return map(x);
}

template <class T>
Var<T> Elementwise<T>::inverse(const Var<T>& y, Context<T>&) const {
  check(y);
  return map_back(y);
}

template <class T>
WithLogDet<T> Elementwise<T>::forward_with_log_det(const Var<T>& x, Context<T>&) const {
  check(x);
  return {map(x), sum(log_slope(x), {1})};
}

template <class T>
WithLogDet<T> Elementwise<T>::inverse_with_log_det(const Var<T>& y, Context<T>&) const {
  check(y);
  const Var<T> x = map_back(y);
  return {x, -sum(log_slope(x), {1})};
}

template class Elementwise<float>;
template class Elementwise<double>;

}  // namespace fjord::flows
