#include "fjord/optim/average.hpp"

#include <algorithm>
#include <string>

#include "fjord/autodiff/errors.hpp"
#include "fjord/optim/option_checks.hpp"
#include "fjord/optim/parameter_groups.hpp"

namespace fjord::optim {

template <class T>
Average<T>::Average(std::vector<Parameter<T>*> parameters)
    : parameters_(std::move(parameters)),
      average_(Tensor<double>::zeros({size_of(parameters_, "average")})) {}

template <class T>
void Average<T>::update() {
  require(!is_swapped_in_, "average", "the average is swapped in; call swap_out before update");
  const double weight = count_ == 0 ? 1 : weight_after(count_);
  double* average = average_.data();
  for (const Parameter<T>* parameter : parameters_) {
    for (const T value : parameter->value().storage()) {
      *average = (1 - weight) * *average + weight * static_cast<double>(value);
      ++average;
    }
  }
  ++count_;
}

template <class T>
void Average<T>::swap_in() {
  require(!is_swapped_in_, "average", "the average is already swapped in");
  require(count_ > 0, "average", "there is no average before the first update");
  std::vector<T> own = values_of(parameters_);
  std::vector<T> averaged(own.size());
  std::ranges::transform(average_.storage(), averaged.begin(),
                         [](double value) { return static_cast<T>(value); });
  set_values(parameters_, averaged);
  own_ = std::move(own);
  is_swapped_in_ = true;
}

template <class T>
void Average<T>::swap_out() {
  require(is_swapped_in_, "average", "the average is not swapped in");
  set_values(parameters_, own_);
  is_swapped_in_ = false;
}

template <class T>
void Average<T>::restore(const AverageState& state) {
  require(!is_swapped_in_, "average", "the average is swapped in; call swap_out before restore");
  require(state.values.shape() == average_.shape(), "average", [&] {
    return "the state must have the shape " + to_string(average_.shape()) + ", got " +
           to_string(state.values.shape());
  });
  count_ = state.count;
  average_ = state.values;
}

template <class T>
ExponentialAverage<T>::ExponentialAverage(std::vector<Parameter<T>*> parameters,
                                          const ExponentialAverageOptions& options)
    : Average<T>(std::move(parameters)), options_(options) {
  check_decay("exponential_average", "decay", options.decay);
}

template <class T>
double ExponentialAverage<T>::weight_after(std::uint64_t /*count*/) const {
  return 1 - options_.decay;
}

template <class T>
StochasticAverage<T>::StochasticAverage(std::vector<Parameter<T>*> parameters)
    : Average<T>(std::move(parameters)) {}

template <class T>
double StochasticAverage<T>::weight_after(std::uint64_t count) const {
  return 1 / static_cast<double>(count + 1);
}

template class Average<float>;
template class Average<double>;
template class ExponentialAverage<float>;
template class ExponentialAverage<double>;
template class StochasticAverage<float>;
template class StochasticAverage<double>;

}  // namespace fjord::optim
