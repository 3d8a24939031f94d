#include "fjord/nn/part.hpp"

namespace fjord::nn {

template <class T>
Description<T>& Description<T>::set(const std::string& name, const Setting& value) {
  config_.settings.emplace_back(name, value);
  return *this;
}

template <class T>
Description<T>& Description<T>::set(const std::string& name, const std::vector<Index>& values) {
  return set(name, Setting(std::vector<double>(values.begin(), values.end())));
}

template <class T>
Description<T>& Description<T>::parameter(const std::string& name, Parameter<T>& parameter) {
  parameters_.push_back({name, &parameter});
  return *this;
}

template <class T>
Description<T>& Description<T>::buffer(const std::string& name, Parameter<T>& numbers) {
  parameters_.push_back({name, &numbers, false});
  return *this;
}

template <class T>
Description<T>& Description<T>::child(const std::string& name, Part<T>& part) {
  const Description described = part.describe();
  config_.children.push_back({name, false, {described.config_}});
  take(name, part, described);
  return *this;
}

template <class T>
Description<T>& Description<T>::inner(const std::string& name, Part<T>& part) {
  take(name, part, part.describe());
  return *this;
}

template <class T>
void Description<T>::add_list(const std::string& name) {
  config_.children.push_back({name, true, {}});
}

template <class T>
void Description<T>::add_to_list(const std::string& name, std::size_t index, Part<T>& part) {
  const Description described = part.describe();
  config_.children.back().parts.push_back(described.config_);
  take(name + "." + std::to_string(index), part, described);
}

template <class T>
void Description<T>::take(const std::string& path, Part<T>& part, const Description& inner) {
  for (const NamedParameter<T>& p : inner.parameters_)
    parameters_.push_back({path + "." + p.name, p.parameter, p.is_trained});
  parts_.push_back(&part);
  parts_.insert(parts_.end(), inner.parts_.begin(), inner.parts_.end());
}

template class Description<float>;
template class Description<double>;

}  // namespace fjord::nn
