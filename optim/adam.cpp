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
  for (const Parameter<T>* parameter : parameters_) {
    require(parameter != nullptr, "adam", "a parameter is null");
    size += parameter->value().size();
  }
  first_ = Tensor<T>::zeros({size});
  second_ = Tensor<T>::zeros({size});
}

template <class T>
void Adam<T>::step(std::span<const T> gradient) {
  require(static_cast<Index>(gradient.size()) == first_.size(), "adam", [&] {
    return "a gradient of " + std::to_string(first_.size()) + " numbers is needed, got " +
           std::to_string(gradient.size());
  });
  // Asked of all first, so that a parameter that is held leaves everything as it was.
  for (Parameter<T>* parameter : parameters_) parameter->mutable_values();
  ++steps_;
  const auto steps = static_cast<double>(steps_);
  const double rate = options_.rate / (1 - std::pow(options_.beta1, steps));
  const double inverse_root = 1 / std::sqrt(1 - std::pow(options_.beta2, steps));
  const double weight1 = 1 - options_.beta1;
  const double weight2 = 1 - options_.beta2;
  std::size_t i = 0;
  for (Parameter<T>* parameter : parameters_) {
    for (T& value : parameter->mutable_values()) {
      // In double: 0.999 and 1 - 0.999 rounded to single precision differ by 5e-5 in what they
      // mean.
      const auto g = static_cast<double>(gradient[i]);
      const double m = options_.beta1 * static_cast<double>(first_.storage()[i]) + weight1 * g;
      const double v = options_.beta2 * static_cast<double>(second_.storage()[i]) + weight2 * g * g;
      first_.storage()[i] = static_cast<T>(m);
      second_.storage()[i++] = static_cast<T>(v);
      value -= static_cast<T>(rate * m / (std::sqrt(v) * inverse_root + options_.epsilon));
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
