#include "fjord/flows/vector_field.hpp"

#include "fjord/autodiff/errors.hpp"

namespace fjord::flows {

template <class T>
std::pair<Var<T>, Var<T>> VectorField<T>::slope_by_bottleneck(const Var<T>&, const Var<T>&,
                                                              const Var<T>&) const {
  fail("flow", "this field has no bottleneck");
}

template <class T>
Var<T> VectorField<T>::with_divergence(const Var<T>&, const Var<T>&, const Var<T>&) const {
  fail("vector_field", "this field does not know its divergence; push tangents through it");
}

template <class T>
Var<T> VectorField<T>::potential_time_slope(const Var<T>&, const Var<T>&, const Var<T>&) const {
  fail("vector_field", "this field is not the gradient of a potential");
}

template <class T>
FunctionField<T>::FunctionField(ode::Field<T> function, nn::NamedParameters<T> parameters)
    : function_(std::move(function)), parameters_(std::move(parameters)) {
  require(function_ != nullptr, "ffjord", "a field is needed, got an empty function");
  for (const nn::NamedParameter<T>& p : parameters_)
    require(p.parameter != nullptr, "ffjord", [&] { return "parameter " + p.name + " is null"; });
}

template <class T>
Var<T> FunctionField<T>::slope(const Var<T>& t, const Var<T>& x, const Var<T>&) const {
  return function_(t, x);
}

template <class T>
nn::Description<T> FunctionField<T>::describe() {
  nn::Description<T> description("");
  for (const nn::NamedParameter<T>& p : parameters_) description.parameter(p.name, *p.parameter);
  return description;
}

template class VectorField<float>;
template class VectorField<double>;
template class FunctionField<float>;
template class FunctionField<double>;

}  // namespace fjord::flows
