#include "fjord/flows/affine.hpp"

#include <algorithm>
#include <cmath>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/flows/check_rows.hpp"
#include "fjord/flows/columns.hpp"

namespace fjord::flows {
namespace {

template <class T>
Index size_of(const Parameter<T>& parameter) {
  return parameter.value().size();
}

}  // namespace

template <class T>
Affine<T>::Affine(Index dim)
    : log_scale_(column_zeros<T>(dim, "affine")), shift_(column_zeros<T>(dim, "affine")) {}

template <class T>
Affine<T>::Affine(nn::PartReader<T>& reader) : Affine(read_dim(reader, 2)) {}

template <class T>
void Affine<T>::set(const std::vector<double>& scale, const std::vector<double>& shift) {
  const Tensor<T> scales = column_numbers<T>(scale, Needed::positive, "affine");
  const Tensor<T> shifts = column_numbers<T>(shift, Needed::finite, "affine");
  require(scales.size() == size_of(shift_) && shifts.size() == size_of(shift_), "affine",
          [&] { return std::to_string(size_of(shift_)) + " scales and shifts are needed"; });
  std::transform(scale.begin(), scale.end(), log_scale_.mutable_values().begin(),
                 [](double s) { return static_cast<T>(std::log(s)); });
  std::copy(shifts.storage().begin(), shifts.storage().end(), shift_.mutable_values().begin());
}

template <class T>
WithLogDet<T> Affine<T>::forward_with_log_det(const Var<T>& x, Context<T>&) const {
  check_rows(x, size_of(shift_), "affine");
  const Var<T> log_scale = x.tape().bind(log_scale_);
  return {x * exp(log_scale) + x.tape().bind(shift_), log_det_of_rows(x, sum(log_scale))};
}

template <class T>
WithLogDet<T> Affine<T>::inverse_with_log_det(const Var<T>& y, Context<T>&) const {
  check_rows(y, size_of(shift_), "affine");
  const Var<T> narrowing = -y.tape().bind(log_scale_);
  return {(y - y.tape().bind(shift_)) * exp(narrowing), log_det_of_rows(y, sum(narrowing))};
}

template <class T>
nn::Description<T> Affine<T>::describe() {
  return nn::Description<T>("affine")
      .set("dim", size_of(shift_))
      .parameter("log_scale", log_scale_)
      .parameter("shift", shift_);
}

template <class T>
Shift<T>::Shift(Index dim) : shift_(column_zeros<T>(dim, "shift")) {}

template <class T>
Shift<T>::Shift(nn::PartReader<T>& reader) : Shift(read_dim(reader, 1)) {}

template <class T>
WithLogDet<T> Shift<T>::forward_with_log_det(const Var<T>& x, Context<T>&) const {
  check_rows(x, size_of(shift_), "shift");
  return {x + x.tape().bind(shift_), zero_log_det(x)};
}

template <class T>
WithLogDet<T> Shift<T>::inverse_with_log_det(const Var<T>& y, Context<T>&) const {
  check_rows(y, size_of(shift_), "shift");
  return {y - y.tape().bind(shift_), zero_log_det(y)};
}

template <class T>
nn::Description<T> Shift<T>::describe() {
  return nn::Description<T>("shift").set("dim", size_of(shift_)).parameter("shift", shift_);
}

template <class T>
Scale<T>::Scale(Index dim) : log_scale_(column_zeros<T>(dim, "scale")) {}

template <class T>
Scale<T>::Scale(nn::PartReader<T>& reader) : Scale(read_dim(reader, 1)) {}

template <class T>
WithLogDet<T> Scale<T>::forward_with_log_det(const Var<T>& x, Context<T>&) const {
  check_rows(x, size_of(log_scale_), "scale");
  const Var<T> log_scale = x.tape().bind(log_scale_);
  return {x * exp(log_scale), log_det_of_rows(x, sum(log_scale))};
}

template <class T>
WithLogDet<T> Scale<T>::inverse_with_log_det(const Var<T>& y, Context<T>&) const {
  check_rows(y, size_of(log_scale_), "scale");
  const Var<T> narrowing = -y.tape().bind(log_scale_);
  return {y * exp(narrowing), log_det_of_rows(y, sum(narrowing))};
}

template <class T>
nn::Description<T> Scale<T>::describe() {
  return nn::Description<T>("scale")
      .set("dim", size_of(log_scale_))
      .parameter("log_scale", log_scale_);
}

template class Affine<float>;
template class Affine<double>;
template class Shift<float>;
template class Shift<double>;
template class Scale<float>;
template class Scale<double>;

}  // namespace fjord::flows
