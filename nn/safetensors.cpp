#include "fjord/nn/safetensors.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/nn/check_json.hpp"

namespace fjord::nn {
namespace {

using nlohmann::json;

constexpr std::size_t length_bytes = 8;          // of the header's length, in front of it
constexpr std::size_t max_header = 100'000'000;  // as in the reference implementation
constexpr std::size_t max_depth = 3;             // {"name": {"shape": [...]}}
constexpr const char* metadata_key = "__metadata__";

/// A tensor's place in the file: its bytes are [begin, end) of the body.
struct Entry {
  std::string name;
  bool is_double = false;
  Shape shape;
  std::size_t begin = 0;
  std::size_t end = 0;
};

std::string title(const std::string& name) {
  return "tensor '" + printable(name) + "'";
}

// Splits off the header's text; what remains of `bytes` is the body.
std::string_view take_header(std::string_view& bytes, const FileCheck& check) {
  check(bytes.size() >= length_bytes,
        "shorter than the 8 bytes of a safetensors file's header length");
  const std::uint64_t length = little_endian(bytes.substr(0, length_bytes));
  check(length <= bytes.size() - length_bytes, [&] {
    return "a header of " + std::to_string(length) + " bytes does not fit into the file of " +
           std::to_string(bytes.size()) + "; it is truncated, or not a safetensors file";
  });
  check(length <= max_header, [&] {
    return "a header of " + std::to_string(length) + " bytes is larger than the format allows, " +
           std::to_string(max_header);
  });
  const std::string_view text = bytes.substr(length_bytes, length);
  bytes.remove_prefix(length_bytes + length);
  check(text.starts_with("{"), "the header must begin with \"{\"; this is not a safetensors file");
  return text;
}

json parse_header(std::string_view text, const FileCheck& check) {
  check_json(text, "the header", max_depth, check);
  return json::parse(text);
}

std::map<std::string, std::string> read_metadata(const json& metadata, const FileCheck& check) {
  std::map<std::string, std::string> result;
  check(metadata.is_object(), "__metadata__ must be an object of strings");
  for (const auto& item : metadata.items()) {
    check(item.value().is_string(),
          [&] { return "the metadata '" + printable(item.key()) + "' must be a string"; });
    result[item.key()] = item.value().get<std::string>();
  }
  return result;
}

// The whole numbers of an array; JSON's 1.0 and -0 are none.
std::vector<Index> whole_numbers(const json& array, const FileCheck& check) {
  constexpr auto max = static_cast<std::uint64_t>(std::numeric_limits<Index>::max());
  check(array.is_array(), "it must be an array");
  std::vector<Index> numbers;
  for (const json& number : array) {
    check(number.is_number_unsigned() && number.get<std::uint64_t>() <= max, [&] {
      return "it must hold whole numbers in [0, 2^63), got " + printable(number.dump());
    });
    numbers.push_back(number.get<Index>());
  }
  return numbers;
}

Entry read_entry(const std::string& name, const json& value, const FileCheck& check) {
  check(value.is_object() && value.size() == 3 && value.contains("dtype") &&
            value.contains("shape") && value.contains("data_offsets"),
        "it must have dtype, shape and data_offsets and nothing else");
  const json& dtype = value["dtype"];
  check(dtype == "F32" || dtype == "F64", [&] {
    return "the dtype " + printable(dtype.dump()) +
           " is not read, only F32 and F64 are; convert it to one of them before saving";
  });
  const bool is_double = dtype == "F64";
  const std::size_t width = is_double ? sizeof(double) : sizeof(float);
  const std::vector<Index> sizes = whole_numbers(value["shape"], check.within("shape"));
  const std::vector<Index> offsets =
      whole_numbers(value["data_offsets"], check.within("data_offsets"));
  const Shape shape = checked_shape(sizes, width, check);
  check(offsets.size() == 2 && offsets[0] <= offsets[1],
        "data_offsets must be [begin, end] with begin <= end");
  const auto begin = static_cast<std::size_t>(offsets[0]);
  const auto end = static_cast<std::size_t>(offsets[1]);
  const std::size_t needed = static_cast<std::size_t>(shape.size()) * width;
  check(end - begin == needed, [&] {
    return "shape " + to_string(shape) + " needs " + std::to_string(needed) + " bytes, got " +
           std::to_string(end - begin);
  });
  return {name, is_double, shape, begin, end};
}

// Every byte of the body belongs to one tensor.
void check_cover(std::vector<Entry> entries, std::size_t body, const FileCheck& check) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::size_t covered = 0;
  for (const Entry& entry : entries) {
    check.within(title(entry.name))(entry.begin == covered, [&] {
      return "it begins at byte " + std::to_string(entry.begin) +
             (entry.begin < covered ? ", inside another" : ", after a hole") + "; expected " +
             std::to_string(covered);
    });
    covered = entry.end;
  }
  check(covered == body, [&] {
    return "the tensors end at byte " + std::to_string(covered) + " of " + std::to_string(body) +
           "; the file is truncated or damaged";
  });
}

// A text in quotes, with JSON's escapes.
std::string quoted(const std::string& text) {
  try {
    return json(text).dump();
  } catch (const json::exception&) {
    fail("save_safetensors", "names and metadata must be UTF-8, got \"" + printable(text) + "\"");
  }
}

// {"key":value,...} of texts that are JSON already.
std::string object(const std::vector<std::string>& members) {
  std::string text;
  for (const std::string& member : members) text += (text.empty() ? "" : ",") + member;
  return "{" + text + "}";
}

std::string metadata_text(const std::map<std::string, std::string>& metadata) {
  std::vector<std::string> members;
  members.reserve(metadata.size());
  for (const auto& [key, value] : metadata) members.push_back(quoted(key) + ":" + quoted(value));
  return quoted(metadata_key) + ":" + object(members);
}

// Appends the tensors of one precision, by name.
template <class T>
void append_tensors(const State& state, const char* dtype, std::vector<std::string>& header,
                    std::string& body) {
  for (const auto& [name, value] : state.tensors) {
    const auto* tensor = std::get_if<Tensor<T>>(&value);
    if (tensor == nullptr) continue;
    require(name != metadata_key, "save_safetensors", "no tensor can be named __metadata__");
    const std::size_t begin = body.size();
    append_bytes<T>(body, *tensor);
    const std::vector<Index> sizes(tensor->shape().begin(), tensor->shape().end());
    header.push_back(quoted(name) + ":" +
                     object({"\"dtype\":" + quoted(dtype), "\"shape\":" + json(sizes).dump(),
                             "\"data_offsets\":" + json({begin, body.size()}).dump()}));
  }
}

}  // namespace

State parse_safetensors(std::string_view bytes, const std::string& name) {
  const FileCheck check("load_safetensors", name);
  const std::string_view text = take_header(bytes, check);
  const json header = parse_header(text, check);
  State state;
  std::vector<Entry> entries;
  for (const auto& [key, value] : header.items()) {
    if (key == metadata_key) {
      state.metadata = read_metadata(value, check);
    } else {
      entries.push_back(read_entry(key, value, check.within(title(key))));
    }
  }
  check_cover(entries, bytes.size(), check);
  for (const Entry& entry : entries) {
    const std::string_view data = bytes.substr(entry.begin, entry.end - entry.begin);
    if (entry.is_double) {
      state.tensors[entry.name] = tensor_of_bytes<double>(data, entry.shape, Order::c);
    } else {
      state.tensors[entry.name] = tensor_of_bytes<float>(data, entry.shape, Order::c);
    }
  }
  return state;
}

std::string format_safetensors(const State& state) {
  std::vector<std::string> members;
  std::string body;
  if (!state.metadata.empty()) members.push_back(metadata_text(state.metadata));
  append_tensors<double>(state, "F64", members,
                         body);  // the widest first, so that all stay aligned
  append_tensors<float>(state, "F32", members, body);
  std::string header = object(members);
  header.append((length_bytes - header.size() % length_bytes) % length_bytes, ' ');
  std::string bytes;
  for (std::size_t i = 0; i < length_bytes; ++i)
    bytes += static_cast<char>(header.size() >> 8 * i & 0xff);
  return bytes + header + body;
}

State load_safetensors(const std::string& path) {
  return parse_safetensors(read_file(path), path);
}

void save_safetensors(const std::string& path, const State& state) {
  write_file(path, format_safetensors(state));
}

}  // namespace fjord::nn
