/// How parts are built from what model files hold of them.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string_view>

#include "fjord/autodiff/errors.hpp"
#include "fjord/nn/part.hpp"

namespace fjord::nn {

template <class T>
class PartReader;

/// A type of parts that can be named in a model file.
template <class T>
struct PartType {
  std::string_view name;
  std::string_view about;  ///< what it is, for docs/flows.md
  std::unique_ptr<Part<T>> (*build)(PartReader<T>& reader);
  std::string_view inverse = {};  ///< how it is found, for docs/flows.md; empty if there is none
};

/// The entry for class C, which is made by its constructor from a reader.
template <class T, class C>
constexpr PartType<T> part_type(std::string_view name, std::string_view about = "",
                                std::string_view inverse = "") {
  return {
      name, about,
      [](PartReader<T>& reader) -> std::unique_ptr<Part<T>> { return std::make_unique<C>(reader); },
      inverse};
}

/// The types that a model may consist of, by name.
template <class T>
class PartTypes final {
 public:
  /// Errors:  std::invalid_argument if there is a type of that name already.
  void add(std::span<const PartType<T>> types);

  /// The type of that name.
  ///
  /// Errors:  std::invalid_argument, which lists all names, if there is none.
  const PartType<T>& named(const std::string& name) const;

 private:
  std::map<std::string, PartType<T>, std::less<>> types_;
};

/// What a part is built from: its entry in a model file.
///
/// Errors:  std::invalid_argument "[model] part PATH (TYPE): ...", in every function, if there is
///          no entry of that name, or one of another kind.
template <class T>
class PartReader final {
 public:
  /// Builds the part that `config` describes, and all parts below it.
  ///
  /// Its settings may ask for at most `numbers` weights: those that the file holds.
  /// Errors:  std::invalid_argument if a type is unknown, a setting is missing, unknown or refused
  ///          by the part's constructor, or a part is of the wrong kind.
  template <class P>
  static std::unique_ptr<P> build(const Config& config, const PartTypes<T>& types, double numbers) {
    return as<P>(build_part(config, "", types, numbers), config, "");
  }

  /// Whether there is a setting of that name; it need not be read.
  bool has(std::string_view name) const;
  bool flag(std::string_view name);
  double number(std::string_view name);
  /// A whole number, 0 or more.
  Index count(std::string_view name);
  /// A whole number, 1 or more.
  Index size(std::string_view name);
  std::string text(std::string_view name);
  std::vector<double> numbers(std::string_view name);
  /// Whole numbers, each 0 or more.
  std::vector<Index> counts(std::string_view name);
  /// Whole numbers, each 1 or more.
  std::vector<Index> sizes(std::string_view name);

  template <class P>
  std::unique_ptr<P> child(std::string_view name) {
    const Config::Child& found = child_named(name, false);
    return as<P>(build_part(found.parts[0], path_to(name), types_, numbers_left_), found.parts[0],
                 path_to(name));
  }

  template <class P>
  std::vector<std::unique_ptr<P>> children(std::string_view name) {
    const Config::Child& found = child_named(name, true);
    std::vector<std::unique_ptr<P>> parts;
    for (const Config& config : found.parts) {
      const std::string path = path_to(name) + "." + std::to_string(parts.size());
      parts.push_back(as<P>(build_part(config, path, types_, numbers_left_), config, path));
    }
    return parts;
  }

  /// Says that the part will have so many weights; to be called before they are allocated.
  ///
  /// Errors:  std::invalid_argument if the file holds fewer numbers.
  void expect_weights(double count);

  /// Throws std::invalid_argument "[model] part PATH (TYPE): message".
  [[noreturn]] void refuse(const std::string& message) const;

 private:
  PartReader(const Config& config, std::string path, const PartTypes<T>& types,
             double& numbers_left)
      : config_(config), path_(std::move(path)), types_(types), numbers_left_(numbers_left) {}

  static std::unique_ptr<Part<T>> build_part(const Config& config, const std::string& path,
                                             const PartTypes<T>& types, double& numbers_left);

  template <class P>
  static std::unique_ptr<P> as(std::unique_ptr<Part<T>> part, const Config& config,
                               const std::string& path) {
    auto* cast = dynamic_cast<P*>(part.get());
    if (cast == nullptr) fail_kind(config, path, P::kind);
    static_cast<void>(part.release());
    return std::unique_ptr<P>(cast);
  }

  [[noreturn]] static void fail_kind(const Config& config, const std::string& path,
                                     const char* kind);
  template <class V>
  const V& setting(std::string_view name, const char* kind);
  Index whole(double value, std::string_view name, Index least) const;
  std::vector<Index> whole_numbers(std::string_view name, Index least);
  const Config::Child& child_named(std::string_view name, bool is_list);
  std::string path_to(std::string_view name) const;
  // Refuses what the part did not ask for.
  void check_all_read() const;

  const Config& config_;
  std::string path_;
  const PartTypes<T>& types_;
  double& numbers_left_;
  std::set<std::string, std::less<>> read_;
};

extern template class PartTypes<float>;
extern template class PartTypes<double>;
extern template class PartReader<float>;
extern template class PartReader<double>;

}  // namespace fjord::nn
