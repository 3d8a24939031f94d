#include "fjord/flows/standardise_given.hpp"

#include <utility>

#include "fjord/autodiff/errors.hpp"

namespace fjord::flows {

template <class T>
StandardiseGiven<T>::StandardiseGiven(std::unique_ptr<Distribution<T>> distribution,
                                      std::vector<double> mean, std::vector<double> scale)
    : distribution_(std::move(distribution)),
      units_(mean, std::move(scale)),
      width_(static_cast<Index>(mean.size())) {
  require(distribution_ != nullptr, "standardise_given", "a distribution is needed, got null");
}

template <class T>
template <class F>
auto StandardiseGiven<T>::with_standard(Context<T>& context, F f) const {
  const Var<T> given = context.given;
  require(!given.is_empty() && given.shape().rank() == 2 && given.shape()[1] == width_,
          "standardise_given", [&] {
            return "rows of " + std::to_string(width_) + " given numbers are needed, got " +
                   (given.is_empty() ? "none" : to_string(given.shape()));
          });
  Context<T> unused = context;
  context.given = units_.inverse_with_log_det(given, unused).value;
  try {
    auto result = f();
    context.given = given;
    return result;
  } catch (...) {
    context.given = given;
    throw;
  }
}

template <class T>
Var<T> StandardiseGiven<T>::sample(Tape<T>& tape, Index rows, Context<T>& context) const {
  return with_standard(context, [&] { return distribution_->sample(tape, rows, context); });
}

template <class T>
Var<T> StandardiseGiven<T>::log_prob(const Var<T>& x, Context<T>& context) const {
  return with_standard(context, [&] { return distribution_->log_prob(x, context); });
}

template <class T>
SampleAndLogProb<T> StandardiseGiven<T>::sample_and_log_prob(Tape<T>& tape, Index rows,
                                                             Context<T>& context) const {
  return with_standard(context,
                       [&] { return distribution_->sample_and_log_prob(tape, rows, context); });
}

template <class T>
void StandardiseGiven<T>::adapt(const Var<T>& x, Context<T>& context, std::uint64_t step) {
  with_standard(context, [&] {
    distribution_->adapt(x, context, step);
    return 0;
  });
}

template <class T>
nn::Description<T> StandardiseGiven<T>::describe() {
  const nn::Description<T> units = units_.describe();
  nn::Description<T> description("standardise_given");
  for (const auto& [name, setting] : units.config().settings) description.set(name, setting);
  return description.child("distribution", *distribution_);
}

template class StandardiseGiven<float>;
template class StandardiseGiven<double>;

}  // namespace fjord::flows
