#include "fjord/optim/parameter_groups.hpp"

#include <algorithm>
#include <set>

#include "fjord/autodiff/errors.hpp"

namespace fjord::optim {

template <class T>
std::vector<Parameter<T>*> ParameterGroups<T>::parameters() const {
  std::vector<Parameter<T>*> all;
  for (const ParameterGroup<T>& group : groups_) {
    all.insert(all.end(), group.parameters.begin(), group.parameters.end());
  }
  return all;
}

template <class T>
Index size_of(const std::vector<Parameter<T>*>& parameters, std::string_view op) {
  Index size = 0;
  std::set<const Parameter<T>*> seen;
  for (const Parameter<T>* parameter : parameters) {
    require(parameter != nullptr, op, "a parameter is null");
    require(seen.insert(parameter).second, op, "a parameter is given twice");
    size += parameter->value().size();
  }
  return size;
}

template <class T>
void check_free(const std::vector<Parameter<T>*>& parameters) {
  for (Parameter<T>* parameter : parameters) parameter->mutable_values();
}

template <class T>
std::vector<T> values_of(const std::vector<Parameter<T>*>& parameters) {
  std::vector<T> values;
  for (const Parameter<T>* parameter : parameters) {
    const std::span<const T> own = parameter->value().storage();
    values.insert(values.end(), own.begin(), own.end());
  }
  return values;
}

template <class T>
void set_values(const std::vector<Parameter<T>*>& parameters, const std::vector<T>& values) {
  check_free(parameters);
  const T* next = values.data();
  for (Parameter<T>* parameter : parameters) {
    const std::span<T> own = parameter->mutable_values();
    std::copy_n(next, own.size(), own.begin());
    next += own.size();
  }
}

#define FJORD_INSTANTIATE(T)                                                   \
  template class ParameterGroups<T>;                                           \
  template Index size_of(const std::vector<Parameter<T>*>&, std::string_view); \
  template void check_free(const std::vector<Parameter<T>*>&);                 \
  template std::vector<T> values_of(const std::vector<Parameter<T>*>&);        \
  template void set_values(const std::vector<Parameter<T>*>&, const std::vector<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::optim
