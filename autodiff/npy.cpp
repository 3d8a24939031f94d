#include "fjord/autodiff/npy.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <type_traits>
#include <vector>

#include "fjord/autodiff/files.hpp"

// xtensor's reader is not used: it accepts truncated files, allocates what a header claims, takes
// header lengths of 128 to 255 (shapes of many axes) for negative ones and depends on the order of
// the keys; making it safe would mean parsing the header here first. It would also cost every user
// 0.5 s of compile time.
namespace fjord {
namespace {

constexpr std::string_view magic = "\x93NUMPY";

/// What a header says, as far as it was read.
struct Header {
  std::optional<std::string> dtype;
  std::optional<bool> is_fortran;
  std::optional<std::vector<Index>> sizes;
};

/// Reads the Python literal of a header: a dict of a string, a bool and a tuple of integers.
class HeaderParser final {
 public:
  HeaderParser(std::string_view text, const FileCheck& check) : text_(text), check_(check) {}

  Header parse() {
    Header header;
    expect("{");
    while (!accept("}")) {
      const std::string key = quoted();
      expect(":");
      parse_value(key, header);
      if (accept(",")) continue;
      expect("}");
      break;
    }
    skip_space();
    check_(text_.empty(),
           "there is more than one dict in the header; save it anew with numpy.save");
    check_(
        header.dtype && header.is_fortran && header.sizes,
        "the header must have 'descr', 'fortran_order' and 'shape'; save it anew with numpy.save");
    return header;
  }

 private:
  void skip_space() {
    text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size()));
  }

  bool accept(std::string_view token) {
    skip_space();
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }

  void expect(std::string_view token) {
    check_(accept(token), [&] {
      return "expected \"" + std::string(token) + "\" in the header at \"" + printable(text_) +
             "\"; save it anew with numpy.save";
    });
  }

  std::string quoted() {
    const std::string_view quote = accept("\"") ? "\"" : "'";
    if (quote == "'") expect(quote);
    std::string result(text_.substr(0, text_.find(quote)));
    text_.remove_prefix(result.size());
    expect(quote);
    return result;
  }

  void parse_value(const std::string& key, Header& header) {
    if (key == "descr" && !header.dtype) {
      skip_space();
      check_(
          !text_.starts_with("["),
          "structured dtypes are not read; save one field, as x['name'].astype('<f8'), or all of "
          "them by numpy.lib.recfunctions.structured_to_unstructured(x)");
      header.dtype = quoted();
    } else if (key == "fortran_order" && !header.is_fortran) {
      header.is_fortran = accept("True");
      if (!*header.is_fortran) expect("False");
    } else if (key == "shape" && !header.sizes) {
      header.sizes = tuple();
    } else {
      check_.fail("unknown or repeated key '" + printable(key) +
                  "' in the header; save it anew with numpy.save");
    }
  }

  std::vector<Index> tuple() {
    std::vector<Index> sizes;
    expect("(");
    while (!accept(")")) {
      sizes.push_back(integer());
      if (accept(",")) continue;
      expect(")");
      break;
    }
    return sizes;
  }

  Index integer() {
    skip_space();
    Index value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    check_(error == std::errc() && value >= 0, [&] {
      return "the shape must hold sizes in [0, 2^63), got \"" + printable(text_) + "\"";
    });
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    accept("L");  // so Python 2 wrote long integers
    return value;
  }

  std::string_view text_;
  const FileCheck& check_;
};

// Splits off the header's text; what remains of `bytes` is the data.
std::string_view take_header(std::string_view& bytes, const FileCheck& check) {
  check(bytes.starts_with(magic),
        "this is not a .npy file, which begins with \\x93NUMPY; write one with numpy.save");
  const char version = bytes.size() > magic.size() ? bytes[magic.size()] : '\0';
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  const std::size_t start = magic.size() + 2 + length_bytes;
  check(version >= 1 && version <= 3,
        "only the format versions 1 to 3 are read; save it anew with numpy.save");
  check(bytes.size() >= start, "truncated before the header; copy or save it anew");
  const std::uint64_t length = little_endian(bytes.substr(start - length_bytes, length_bytes));
  check(length <= bytes.size() - start, "truncated within the header; copy or save it anew");
  const std::string_view header = bytes.substr(start, length);
  bytes.remove_prefix(start + length);
  return header;
}

// A dtype that is not read, in words, and how to save the array instead.
std::string refusal_of(const std::string& dtype) {
  struct Kind {
    char code;  // after the byte order
    const char* name;
    const char* advice;
  };

  constexpr const char* convert = "convert it with x.astype('<f8')";
  constexpr const char* split = "save the real and the imaginary parts, x.real and x.imag";
  static constexpr std::array kinds = {
      Kind{'f', "another float", convert}, Kind{'i', "integers", convert},
      Kind{'u', "integers", convert},      Kind{'b', "bool", convert},
      Kind{'c', "complex numbers", split}, Kind{'O', "Python objects", convert},
      Kind{'U', "text", convert},          Kind{'S', "text", convert},
      Kind{'M', "dates", convert},         Kind{'m', "time spans", convert},
  };
  const char code = dtype.size() > 1 ? dtype[1] : '\0';
  const auto* const kind = std::ranges::find(kinds, code, &Kind::code);
  const bool is_known = kind != kinds.end();
  std::string name = is_known ? kind->name : "";
  if (dtype.ends_with("f2")) name = "float16";
  if (dtype.starts_with('>')) name = "big-endian";
  return "dtype '" + printable(dtype) + "'" + (name.empty() ? "" : " (" + name + ")") +
         " is not read, only '<f4' and '<f8' are; " + (is_known ? kind->advice : convert);
}

// The shape of an array, all of whose data must be there.
Shape shape_of_data(std::string_view data, std::size_t entry_bytes, const Header& header,
                    const FileCheck& check) {
  const Shape shape = checked_shape(*header.sizes, entry_bytes, check);
  const std::size_t expected = static_cast<std::size_t>(shape.size()) * entry_bytes;
  check(data.size() <= expected || !data.substr(expected).starts_with(magic),
        "another array follows the first; save each array in a file of its own");
  check(data.size() == expected, [&] {
    return (data.size() < expected ? "truncated: " : "trailing bytes: ") + to_string(shape) +
           " of '" + *header.dtype + "' needs " + std::to_string(expected) +
           " bytes of data, got " + std::to_string(data.size()) + "; copy or save it anew";
  });
  return shape;
}

}  // namespace

NpyLayout npy_layout(std::string_view bytes, const std::string& name) {
  const FileCheck check("load_npy", name);
  std::string_view data = bytes;
  const Header header = HeaderParser(take_header(data, check), check).parse();
  const bool is_double = header.dtype == "<f8";
  if (!is_double && header.dtype != "<f4") check.fail(refusal_of(*header.dtype));
  return {shape_of_data(data, is_double ? sizeof(double) : sizeof(float), header, check),
          *header.is_fortran ? Order::column_major : Order::c, is_double,
          bytes.size() - data.size()};
}

template <class T>
Tensor<T> parse_npy(std::string_view bytes, const std::string& name) {
  const NpyLayout layout = npy_layout(bytes, name);
  const std::string_view data = bytes.substr(layout.begin);
  if (layout.is_double)
    return tensor_of_bytes<double>(data, layout.shape, layout.order).template as<T>();
  return tensor_of_bytes<float>(data, layout.shape, layout.order).template as<T>();
}

std::string npy_header(const Shape& shape, bool is_double) {
  std::string sizes;
  for (const Index size : shape) sizes += (sizes.empty() ? "" : ", ") + std::to_string(size);
  if (shape.rank() == 1) sizes += ",";
  const std::string dtype = is_double ? "<f8" : "<f4";
  std::string header =
      "{'descr': '" + dtype + "', 'fortran_order': False, 'shape': (" + sizes + "), }";
  // The data begins at a multiple of 64, after magic, version and length (10 bytes), header and
  // newline.
  header.append(63 - (10 + header.size()) % 64, ' ').append("\n");
  const std::array length = {static_cast<char>(header.size() % 256),
                             static_cast<char>(header.size() / 256)};
  return std::string(magic) + '\x01' + '\x00' + length[0] + length[1] + header;
}

std::string table_shape_message(const Shape& shape) {
  const std::string got = "an array of shape [rows, columns] is needed, got " + to_string(shape);
  if (shape.rank() == 1) {
    const std::string size = std::to_string(shape[0]);
    return got + "; save it as [" + size + ", 1], x.reshape(-1, 1), for " + size +
           " rows of one column, or as [1, " + size + "], x.reshape(1, -1), for one row";
  }
  if (shape.rank() == 2) return got + ", which has no entries";
  return got + "; save it with two axes, as x.reshape(len(x), -1) gives";
}

template <class T>
std::string format_npy(const TensorView<T>& tensor) {
  std::string bytes = npy_header(tensor.shape(), std::is_same_v<T, double>);
  append_bytes(bytes, tensor);
  return bytes;
}

template <class T>
Tensor<T> load_npy(const std::string& path) {
  return parse_npy<T>(read_file(path), path);
}

template <class T>
void save_npy(const std::string& path, const TensorView<T>& tensor) {
  write_file(path, format_npy(tensor));
}

template Tensor<float> load_npy(const std::string&);
template Tensor<double> load_npy(const std::string&);
template void save_npy(const std::string&, const TensorView<float>&);
template void save_npy(const std::string&, const TensorView<double>&);
template Tensor<float> parse_npy(std::string_view, const std::string&);
template Tensor<double> parse_npy(std::string_view, const std::string&);
template std::string format_npy(const TensorView<float>&);
template std::string format_npy(const TensorView<double>&);

}  // namespace fjord
