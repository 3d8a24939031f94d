/// What every part of a model is: something with parameters that can say what it consists of, and
/// be built again from that.
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "fjord/autodiff/parameter.hpp"

namespace fjord::nn {

/// A parameter and its name, the path to it in the tree: "layers.0.weight".
template <class T>
struct NamedParameter {
  std::string name;
  Parameter<T>* parameter;
  bool is_trained = true;  ///< no: a buffer, which follows the data in a way of its own
};

template <class T>
using NamedParameters = std::vector<NamedParameter<T>>;

/// A number or a text that is fixed when a part is made; whole numbers up to 2^53 are exact.
using Setting = std::variant<bool, double, std::string, std::vector<double>>;

/// A part as a model file holds it, without its tensors: its type, its settings and its children.
struct Config {
  struct Child {
    std::string name;
    bool is_list;
    std::vector<Config> parts;  ///< one, or those of the list
  };

  std::string type;
  std::vector<std::pair<std::string, Setting>> settings;
  std::vector<Child> children;
};

template <class T>
class Part;

/// What a part consists of. Every function adds to it and returns it.
template <class T>
class Description final {
 public:
  /// `type` names the class of the part in model files; a part with an empty one cannot be saved.
  explicit Description(std::string type) { config_.type = std::move(type); }

  Description& set(const std::string& name, const Setting& value);

  Description& set(const std::string& name, std::integral auto value) {
    if constexpr (std::is_same_v<decltype(value), bool>) return set(name, Setting(value));
    return set(name, Setting(static_cast<double>(value)));
  }

  Description& set(const std::string& name, const std::vector<Index>& values);
  Description& parameter(const std::string& name, Parameter<T>& parameter);
  /// Numbers that are kept like parameters, but which optimisers leave alone.
  Description& buffer(const std::string& name, Parameter<T>& numbers);
  /// A part that the settings do not determine.
  Description& child(const std::string& name, Part<T>& part);

  /// Several such parts; their paths are "name.0", "name.1" and so on.
  template <class P>
  Description& children(const std::string& name, const std::vector<std::unique_ptr<P>>& parts) {
    add_list(name);
    for (std::size_t k = 0; k < parts.size(); ++k) add_to_list(name, k, *parts[k]);
    return *this;
  }

  /// A part that the settings determine: only its parameters are kept.
  Description& inner(const std::string& name, Part<T>& part);

  const Config& config() const& { return config_; }

  /// Parameters and buffers, in the order in which they were added, with their paths as names.
  const NamedParameters<T>& parameters() const& { return parameters_; }

  /// All parts below this one.
  const std::vector<Part<T>*>& parts() const& { return parts_; }

  const Config& config() const&& = delete;
  const NamedParameters<T>& parameters() const&& = delete;
  const std::vector<Part<T>*>& parts() const&& = delete;

 private:
  void add_list(const std::string& name);
  void add_to_list(const std::string& name, std::size_t index, Part<T>& part);
  // Adds the parameters and parts of `inner`, which is at `path`.
  void take(const std::string& path, Part<T>& part, const Description& inner);

  Config config_;
  NamedParameters<T> parameters_;
  std::vector<Part<T>*> parts_;
};

/// A piece of a model: a network, a field, a bijector, a distribution.
///
/// To be named in model files, a class C<T> has a type name, which `describe` gives, and a
/// constructor from a PartReader<T>&, which reads what `describe` sets: fjord/nn/part_reader.hpp.
template <class T>
class Part {
 public:
  Part() = default;
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  virtual ~Part() = default;

  /// Says what the part consists of, always in the same order.
  virtual Description<T> describe() = 0;
};

/// The parameters and buffers of a part and of all parts below it.
template <class T>
NamedParameters<T> parameters_of(Part<T>& part) {
  const Description<T> description = part.describe();
  return description.parameters();
}

/// The parameters of a list that are trained, without their names, as optimisers take them.
template <class T>
std::vector<Parameter<T>*> parameter_pointers(const NamedParameters<T>& list) {
  std::vector<Parameter<T>*> pointers;
  for (const NamedParameter<T>& named : list) {
    if (named.is_trained) pointers.push_back(named.parameter);
  }
  return pointers;
}

extern template class Description<float>;
extern template class Description<double>;

}  // namespace fjord::nn
