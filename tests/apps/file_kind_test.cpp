#include "fjord/apps/common/file_kind.hpp"

#include <string>

#include <doctest/doctest.h>

namespace fjord::apps {
namespace {

using namespace std::string_literals;

// The header of the first file in a zip archive, as far as its name.
std::string zip(const std::string& name) {
  return "PK\x03\x04\x14\0\0\0\0\0\0\0!\0"s + std::string(12, 'c') +
         static_cast<char>(name.size()) + "\0\0\0"s + name + "data";
}

TEST_CASE("file_kind: files of other programs are known by their first bytes") {
  struct Case {
    std::string bytes;
    const char* kind;
  };

  const Case cases[] = {
      {"\xff\xfe"s + "1\0,\0"s, "UTF-16"},
      {"\xfe\xff"s + "\0"
                     "1\0,"s,
       "UTF-16"},
      {"1\0,\0002\0\n\0"s, "UTF-16"},
      {"\0"
       "1\0,\0002\0\n"s,
       "UTF-16"},
      {"\xff\xfe\0\0"
       "1\0\0\0"s,
       "UTF-32"},
      {"\x1f\x8b\x08\0\0\0\0\0"s, "gzip"},
      {"BZh91AY", "bzip2"},
      {"\xfd"
       "7zXZ\0\0"s,
       "xz"},
      {"\x28\xb5\x2f\xfd\x04", "zstd"},
      {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".xls"},
      {"\x89HDF\r\n\x1a\n", "HDF5"},
      {"PAR1\x15\x04", "Parquet"},
      {"ARROW1\0\0"s, "Arrow"},
      {"%PDF-1.7", "PDF"},
      {zip("x.npy"), ".npz"},
      {zip("arr_0.npy"), ".npz"},
      {zip("[Content_Types].xml"), ".xlsx"},
      {zip("xl/workbook.xml"), ".xlsx"},
      {zip("_rels/.rels"), ".xlsx"},
      {zip("mimetype"), "OpenDocument"},
      {zip("table.csv"), "zip archive"},
      {"PK\x03\x04", "zip archive"},
      {"\x40\0\0\0\0\0\0\0{\"a\":"s, "safetensors"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.kind);
    const std::string kind(foreign_kind(c.bytes));
    CHECK_MESSAGE(kind.find(c.kind) != std::string::npos, kind);
    CHECK(kind.starts_with("this is "));
    CHECK(kind.find("; ") != std::string::npos);
  }
}

TEST_CASE("file_kind: tables are none of them") {
  for (const std::string& bytes :
       {""s, "1"s, "1,2\n"s, "x,y\n"s, "\xef\xbb\xbfx,y\n"s, "\x93NUMPY\x01\0"s, "1\0,2"s,
        "\0\0\0\0"s, "1\0\0\0"s, "BZ,h\n"s, "PK,x\n"s}) {
    CAPTURE(bytes);
    CHECK(foreign_kind(bytes).empty());
  }
  CHECK(is_npy("\x93NUMPY\x01"));
  CHECK_FALSE(is_npy("NUMPY"));
}

TEST_CASE("file_kind: endings in small and capital letters") {
  for (const char* name : {"a.csv", "A.CSV", "b.Csv", ".csv"}) CHECK(has_ending(name, ".csv"));
  for (const char* name : {"csv", "a.csv ", "a.csv.npy", "", "a/csv"}) {
    CHECK_FALSE(has_ending(name, ".csv"));
  }
}

}  // namespace
}  // namespace fjord::apps
