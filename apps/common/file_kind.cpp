#include "fjord/apps/common/file_kind.hpp"

#include <algorithm>
#include <array>

#include "fjord/autodiff/files.hpp"

namespace fjord::apps {
namespace {

using namespace std::string_view_literals;

struct Kind {
  std::string_view first_bytes;
  std::string_view advice;
};

constexpr std::string_view utf_16 =
    "this is UTF-16 text; save it as UTF-8, as iconv -f UTF-16 -t UTF-8 does";
constexpr std::string_view utf_32 =
    "this is UTF-32 text; save it as UTF-8, as iconv -f UTF-32 -t UTF-8 does";

constexpr std::array kinds = {
    Kind{"\x1f\x8b"sv, "this is compressed by gzip; unpack it with gunzip first"},
    Kind{"BZh"sv, "this is compressed by bzip2; unpack it with bunzip2 first"},
    Kind{"\xfd"
         "7zXZ\0"sv,
         "this is compressed by xz; unpack it with unxz first"},
    Kind{"\x28\xb5\x2f\xfd"sv, "this is compressed by zstd; unpack it with unzstd first"},
    Kind{"\xd0\xcf\x11\xe0"sv, "this is an .xls workbook of Excel; save the sheet as CSV"},
    Kind{"\x89HDF\r\n"sv, "this is an HDF5 file; save the table as .npy or CSV"},
    Kind{"PAR1"sv, "this is a Parquet file; save the table as .npy or CSV"},
    Kind{"ARROW1"sv, "this is an Arrow file; save the table as .npy or CSV"},
    Kind{"%PDF"sv, "this is a PDF document; save the table as .npy or CSV"},
    Kind{"\xff\xfe\0\0"sv, utf_32},
    Kind{"\0\0\xfe\xff"sv, utf_32},
    Kind{"\xff\xfe"sv, utf_16},
    Kind{"\xfe\xff"sv, utf_16},
};

// A zip archive is known by the name of its first file.
std::string_view zip_kind(std::string_view bytes) {
  constexpr std::size_t header = 30;
  const std::size_t size = bytes.size() < header ? 0 : little_endian(bytes.substr(26, 2));
  const std::string_view name = bytes.substr(std::min(header, bytes.size()), size);
  if (name.ends_with(".npy")) {
    return "this is an .npz archive of numpy; save one array of it as .npy: np.save('x.npy', "
           "np.load('x.npz')['name'])";
  }
  for (const std::string_view part : {"[Content_Types].xml", "xl/", "_rels/", "docProps/"}) {
    if (name.starts_with(part)) {
      return "this is an .xlsx workbook of Excel; save the sheet as CSV (UTF-8)";
    }
  }
  if (name == "mimetype") return "this is an OpenDocument file; save the sheet as CSV";
  return "this is a zip archive; unpack it first";
}

// Text of two bytes a character, without a mark: in ASCII, one byte of each pair is zero.
bool is_utf_16(std::string_view bytes) {
  if (bytes.size() < 4) return false;
  const auto is_zero = [&](std::size_t i) { return bytes[i] == '\0'; };
  return is_zero(0) != is_zero(1) && is_zero(0) == is_zero(2) && is_zero(1) == is_zero(3);
}

// Eight bytes of length, and then the JSON of the header.
bool is_safetensors(std::string_view bytes) {
  return bytes.size() > 10 && bytes.substr(8, 2) == "{\"" && bytes[7] == '\0';
}

}  // namespace

std::string_view foreign_kind(std::string_view bytes) {
  for (const Kind& kind : kinds) {
    if (bytes.starts_with(kind.first_bytes)) return kind.advice;
  }
  if (bytes.starts_with("PK\x03\x04")) return zip_kind(bytes);
  if (is_utf_16(bytes)) return utf_16;
  if (is_safetensors(bytes)) return "this is a safetensors file; a table as .npy or CSV is needed";
  return {};
}

bool is_npy(std::string_view bytes) {
  return bytes.starts_with("\x93NUMPY");
}

bool has_ending(std::string_view name, std::string_view ending) {
  const auto is_same = [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b;
  };
  return name.size() >= ending.size() &&
         std::ranges::equal(name.substr(name.size() - ending.size()), ending, is_same);
}

}  // namespace fjord::apps
