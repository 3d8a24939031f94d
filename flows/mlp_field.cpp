#include "fjord/flows/mlp_field.hpp"

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/tape.hpp"
#include "fjord/flows/check_rows.hpp"

namespace fjord::flows {

template <class T>
MlpField<T>::MlpField(std::unique_ptr<nn::Mlp<T>> network, nn::TimeInput time_input, Index given)
    : network_(std::move(network)), time_input_(time_input), given_(given) {
  require(network_ != nullptr, "mlp_field", "a network is needed, got null");
  const Index needed = nn::input_width(time_input, network_->out()) + given;
  require(given >= 0 && network_->in() == needed, "mlp_field", [&] {
    return "a network with " + std::to_string(needed) + " inputs is needed for rows of " +
           std::to_string(network_->out()) + " numbers and " + std::to_string(given) +
           " given, got one with " + std::to_string(network_->in());
  });
}

template <class T>
MlpField<T>::MlpField(nn::PartReader<T>& reader)
    : MlpField(reader.template child<nn::Mlp<T>>("network"),
               nn::time_input_named(reader.text("time_input")), reader.count("given")) {}

template <class T>
void MlpField<T>::check_rows(const Var<T>& x, const Var<T>& given) const {
  flows::check_rows(x, network_->out(), "flow");
  if (given_ > 0) check_given(given, x, given_, "flow");
}

template <class T>
Var<T> MlpField<T>::input(const Var<T>& t, const Var<T>& x, const Var<T>& given) const {
  check_rows(x, given);
  const Var<T> timed = nn::with_time(time_input_, t, x);
  return given_ == 0 ? timed : concatenate<T>({timed, given}, 1);
}

template <class T>
Var<T> MlpField<T>::slope(const Var<T>& t, const Var<T>& x, const Var<T>& given) const {
  if (!knows_divergence() || t.shape().rank() > 0) return slope_for_tangents(t, x, given);
  check_rows(x, given);
  return network_->fused(t, x);
}

template <class T>
Var<T> MlpField<T>::slope_for_tangents(const Var<T>& t, const Var<T>& x,
                                       const Var<T>& given) const {
  return network_->forward(input(t, x, given));
}

template <class T>
std::pair<Var<T>, Var<T>> MlpField<T>::slope_by_bottleneck(const Var<T>& t, const Var<T>& x,
                                                           const Var<T>& given) const {
  return network_->forward_by_bottleneck(input(t, x, given));
}

template <class T>
bool MlpField<T>::knows_divergence() const {
  return given_ == 0 && network_->is_fusible();
}

template <class T>
Var<T> MlpField<T>::with_divergence(const Var<T>& t, const Var<T>& x, const Var<T>& given) const {
  check_rows(x, given);
  return network_->fused_with_divergence(t, x);
}

template <class T>
nn::Description<T> MlpField<T>::describe() {
  return nn::Description<T>("mlp_field")
      .set("time_input", std::string(nn::name_of(time_input_)))
      .set("given", given_)
      .child("network", *network_);
}

template class MlpField<float>;
template class MlpField<double>;

}  // namespace fjord::flows
