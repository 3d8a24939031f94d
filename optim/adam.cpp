#include "fjord/optim/adam.hpp"

#include <cmath>

#include "fjord/autodiff/errors.hpp"

namespace fjord::optim {
namespace {

void check(bool holds, const char* field, const char* range, double value) {
  require(holds, "adam", [&] {
    return std::string(field) + " must be " + range + ", got " + std::to_string(value);
  });
}

bool is_decay(double value) {
  return value >= 0 && value < 1;
}

bool is_positive(double value) {
  return value > 0 && std::isfinite(value);
}

}  // namespace

template <class T>
Adam<T>::Adam(std::vector<Parameter<T>*> parameters, const AdamOptions& options)
    : parameters_(std::move(parameters)), options_(options) {
  check(is_positive(options.rate), "rate", "positive", options.rate);
  check(is_decay(options.beta1), "beta1", "in [0, 1)", options.beta1);
  check(is_decay(options.beta2), "beta2", "in [0, 1)", options.beta2);
  check(is_positive(options.epsilon), "epsilon", "positive", options.epsilon);
  Index size = 0;
  for (const Parameter<T>* parameter : parameters_) size += parameter->value().size();
  first_ = Tensor<T>::zeros({size});
  second_ = Tensor<T>::zeros({size});
}

template <class T>
void Adam<T>::step(std::span<const T> gradient) {
  require(static_cast<Index>(gradient.size()) == first_.size(), "adam", [&] {
    return "a gradient of " + std::to_string(first_.size()) + " numbers is needed, got " +
           std::to_string(gradient.size());
  });
  ++steps_;
  const auto steps = static_cast<double>(steps_);
  const double correction1 = 1 - std::pow(options_.beta1, steps);
  const double correction2 = 1 - std::pow(options_.beta2, steps);
  const T beta1 = static_cast<T>(options_.beta1);
  const T beta2 = static_cast<T>(options_.beta2);
  const T rate = static_cast<T>(options_.rate / correction1);
  const T inverse_root = static_cast<T>(1 / std::sqrt(correction2));
  const T epsilon = static_cast<T>(options_.epsilon);
  std::size_t i = 0;
  for (Parameter<T>* parameter : parameters_) {
    for (T& value : parameter->mutable_values()) {
      T& m = first_.storage()[i];
      T& v = second_.storage()[i];
      const T g = gradient[i++];
      m += (1 - beta1) * (g - m);
      v += (1 - beta2) * (g * g - v);
      value -= rate * m / (std::sqrt(v) * inverse_root + epsilon);
    }
  }
}

template <class T>
OptimizerState<T> Adam<T>::state() const {
  return {steps_, {{"first_moment", first_}, {"second_moment", second_}}};
}

template <class T>
void Adam<T>::restore(const OptimizerState<T>& state) {
  for (const char* name : {"first_moment", "second_moment"}) {
    const auto found = state.tensors.find(name);
    require(found != state.tensors.end() && found->second.shape() == first_.shape(), "adam", [&] {
      return "the state needs a tensor " + std::string(name) + " of shape " +
             to_string(first_.shape());
    });
  }
  steps_ = state.steps;
  first_ = state.tensors.at("first_moment");
  second_ = state.tensors.at("second_moment");
}

template class Adam<float>;
template class Adam<double>;

}  // namespace fjord::optim
