/// The parameters that an optimiser changes, in groups.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "fjord/autodiff/parameter.hpp"

namespace fjord::optim {

/// Parameters that share a rate and a weight decay.
template <class T>
struct ParameterGroup {
  std::vector<Parameter<T>*> parameters;
  double rate_factor = 1;                             ///< times the optimiser's rate, >= 0
  std::optional<double> weight_decay = std::nullopt;  ///< in place of the optimiser's, >= 0
};

/// What optimisers are made for: a list of parameters, which is one group, or a list of groups.
template <class T>
class ParameterGroups final {
 public:
  ParameterGroups() = default;

  ParameterGroups(std::vector<Parameter<T>*> parameters) {
    groups_.push_back({std::move(parameters)});
  }

  ParameterGroups(std::initializer_list<Parameter<T>*> parameters)
      : ParameterGroups(std::vector<Parameter<T>*>(parameters)) {}

  ParameterGroups(std::vector<ParameterGroup<T>> groups) : groups_(std::move(groups)) {}

  ParameterGroups(std::initializer_list<ParameterGroup<T>> groups) : groups_(groups) {}

  const std::vector<ParameterGroup<T>>& groups() const { return groups_; }

  /// The parameters of all groups, one after another.
  std::vector<Parameter<T>*> parameters() const;

 private:
  std::vector<ParameterGroup<T>> groups_;
};

/// The numbers in all parameters together.
///
/// Errors:  std::invalid_argument, which names `op`, if a parameter is null or given twice.
template <class T>
Index size_of(const std::vector<Parameter<T>*>& parameters, std::string_view op);

/// Checks that all parameters may be changed, so that a change that is refused changes nothing.
///
/// Errors:  std::invalid_argument if a tape holds one.
template <class T>
void check_free(const std::vector<Parameter<T>*>& parameters);

/// The numbers of all parameters, one after another.
template <class T>
std::vector<T> values_of(const std::vector<Parameter<T>*>& parameters);

/// Gives all parameters their numbers.
///
/// Shapes:  as `values_of`.
/// Errors:  std::invalid_argument, and no change, if a tape holds one.
template <class T>
void set_values(const std::vector<Parameter<T>*>& parameters, const std::vector<T>& values);

extern template class ParameterGroups<float>;
extern template class ParameterGroups<double>;

}  // namespace fjord::optim
