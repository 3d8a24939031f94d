#include "fjord/nn/part_reader.hpp"

#include <algorithm>
#include <cmath>

#include "fjord/autodiff/files.hpp"

namespace fjord::nn {
namespace {

// The largest whole number that a setting holds exactly.
constexpr double largest_whole = 9007199254740992.0;

std::string title(const std::string& path, const std::string& type) {
  return (path.empty() ? "the whole" : "part " + path) + " (" + printable(type) + ")";
}

}  // namespace

template <class T>
void PartTypes<T>::add(std::span<const PartType<T>> types) {
  for (const PartType<T>& type : types) {
    const bool is_new = types_.emplace(type.name, type).second;
    require(is_new, "part_types",
            [&] { return "there is a type " + std::string(type.name) + " already"; });
  }
}

template <class T>
const PartType<T>& PartTypes<T>::named(const std::string& name) const {
  const auto found = types_.find(name);
  require(found != types_.end(), "model", [&] {
    std::string names;
    for (const auto& [known, type] : types_) names += (names.empty() ? "" : ", ") + known;
    return "the type " + printable(name) + " is unknown; known are " + names;
  });
  return found->second;
}

template <class T>
std::unique_ptr<Part<T>> PartReader<T>::build_part(const Config& config, const std::string& path,
                                                   const PartTypes<T>& types,
                                                   double& numbers_left) {
  const PartType<T>& type = types.named(config.type);
  PartReader reader(config, path, types, numbers_left);
  std::unique_ptr<Part<T>> part;
  try {
    part = type.build(reader);
  } catch (const std::invalid_argument& error) {
    const std::string_view what = error.what();
    if (what.starts_with("[model] ")) throw;
    reader.refuse(std::string(what));
  }
  reader.check_all_read();
  return part;
}

template <class T>
void PartReader<T>::refuse(const std::string& message) const {
  fail("model", title(path_, config_.type) + ": " + message);
}

template <class T>
void PartReader<T>::fail_kind(const Config& config, const std::string& path, const char* kind) {
  fail("model", title(path, config.type) + ": a " + kind + " is needed here");
}

template <class T>
template <class V>
const V& PartReader<T>::setting(std::string_view name, const char* kind) {
  const auto found =
      std::ranges::find(config_.settings, name, [](const auto& s) { return s.first; });
  if (found == config_.settings.end())
    refuse("the setting " + std::string(name) + " is missing; " + kind + " is needed");
  const V* value = std::get_if<V>(&found->second);
  if (value == nullptr) refuse("the setting " + std::string(name) + " must be " + kind);
  read_.emplace(name);
  return *value;
}

template <class T>
bool PartReader<T>::has(std::string_view name) const {
  return std::ranges::any_of(config_.settings, [&](const auto& s) { return s.first == name; });
}

template <class T>
bool PartReader<T>::flag(std::string_view name) {
  return setting<bool>(name, "true or false");
}

template <class T>
double PartReader<T>::number(std::string_view name) {
  return setting<double>(name, "a number");
}

template <class T>
std::string PartReader<T>::text(std::string_view name) {
  return setting<std::string>(name, "a text");
}

template <class T>
std::vector<double> PartReader<T>::numbers(std::string_view name) {
  return setting<std::vector<double>>(name, "a list of numbers");
}

template <class T>
Index PartReader<T>::whole(double value, std::string_view name, Index least) const {
  const bool fits =
      value == std::floor(value) && value >= static_cast<double>(least) && value <= largest_whole;
  if (!fits) {
    refuse("the setting " + std::string(name) + " must have whole numbers from " +
           std::to_string(least) + " on");
  }
  return static_cast<Index>(value);
}

template <class T>
Index PartReader<T>::count(std::string_view name) {
  return whole(number(name), name, 0);
}

template <class T>
Index PartReader<T>::size(std::string_view name) {
  return whole(number(name), name, 1);
}

template <class T>
std::vector<Index> PartReader<T>::whole_numbers(std::string_view name, Index least) {
  std::vector<Index> result;
  for (const double value : numbers(name)) result.push_back(whole(value, name, least));
  return result;
}

template <class T>
std::vector<Index> PartReader<T>::counts(std::string_view name) {
  return whole_numbers(name, 0);
}

template <class T>
std::vector<Index> PartReader<T>::sizes(std::string_view name) {
  return whole_numbers(name, 1);
}

template <class T>
const Config::Child& PartReader<T>::child_named(std::string_view name, bool is_list) {
  const auto found = std::ranges::find(config_.children, name, &Config::Child::name);
  if (found == config_.children.end()) {
    refuse("the entry " + std::string(name) + " is missing; " +
           (is_list ? "a list of parts" : "a part") + " is needed");
  }
  if (found->is_list != is_list)
    refuse("the entry " + std::string(name) + " must be " +
           (is_list ? "a list of parts" : "a part"));
  read_.emplace(name);
  return *found;
}

template <class T>
std::string PartReader<T>::path_to(std::string_view name) const {
  return (path_.empty() ? "" : path_ + ".") + std::string(name);
}

template <class T>
void PartReader<T>::expect_weights(double count) {
  numbers_left_ -= count;
  if (!(numbers_left_ >= 0))
    refuse("its settings ask for more weights than the file holds numbers");
}

template <class T>
void PartReader<T>::check_all_read() const {
  const auto check = [&](const std::string& name) {
    if (!read_.contains(name))
      refuse("the setting " + printable(name) + " is unknown; it needs a newer Fjord");
  };
  for (const auto& setting : config_.settings) check(setting.first);
  for (const Config::Child& child : config_.children) check(child.name);
}

template class PartTypes<float>;
template class PartTypes<double>;
template class PartReader<float>;
template class PartReader<double>;

}  // namespace fjord::nn
