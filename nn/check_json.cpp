#include "fjord/nn/check_json.hpp"

#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace fjord::nn {
namespace {

using nlohmann::json;

/// Looks at the text without keeping it. A callback of json::parse() could do so too, but takes
/// time that grows with the square of the number of entries.
class JsonWatch final : public nlohmann::json_sax<json> {
 public:
  explicit JsonWatch(const std::string& noun, std::size_t max_depth, const FileCheck& check)
      : noun_(noun), max_depth_(max_depth), check_(check) {}

  bool null() override { return true; }

  bool boolean(bool) override { return true; }

  bool number_integer(json::number_integer_t) override { return true; }

  bool number_unsigned(json::number_unsigned_t) override { return true; }

  bool number_float(json::number_float_t, const std::string&) override { return true; }

  bool string(std::string&) override { return true; }

  bool binary(json::binary_t&) override { return true; }

  bool start_object(std::size_t) override { return open(); }

  bool end_object() override { return close(); }

  bool start_array(std::size_t) override { return open(); }

  bool end_array() override { return close(); }

  bool key(std::string& name) override {
    check_(names_.back().insert(name).second,
           [&] { return "'" + printable(name) + "' occurs twice"; });
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const json::exception& error) override {
    check_.fail(noun_ + " is not JSON: " + printable(error.what(), 200));
  }

 private:
  bool open() {
    check_(names_.size() < max_depth_, noun_ + " is nested too deeply");
    names_.emplace_back();
    return true;
  }

  bool close() {
    names_.pop_back();
    return true;
  }

  const std::string& noun_;
  std::size_t max_depth_;
  const FileCheck& check_;
  std::vector<std::set<std::string>> names_;  // of the objects that are open; arrays have none
};

}  // namespace

void check_json(std::string_view text, const std::string& noun, std::size_t max_depth,
                const FileCheck& check) {
  JsonWatch watch(noun, max_depth, check);
  json::sax_parse(text, &watch);
}

}  // namespace fjord::nn
