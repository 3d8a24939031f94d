/// What the targets of tests/fuzz share.
///
/// Each is a function of bytes that must neither fail nor take long, whatever they are: under the
/// libFuzzer of clang, which looks for bytes that reach new code,
///
///     CXX=clang++ meson setup build-fuzz -Dfuzz=true -Db_sanitize=address -Db_lundef=false
///     ninja -C build-fuzz tests/fuzz_csv
///     build-fuzz/tests/fuzz_csv -max_len=600 -max_total_time=600 corpus tests/fuzz/corpus/csv
///
/// and under replay.cpp as a test, with the bytes that were found so.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it so.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count);

namespace fjord::test {

/// The bytes as text.
inline std::string_view text_of(const std::uint8_t* bytes, std::size_t count) {
  return {reinterpret_cast<const char*>(bytes), count};
}

/// Ends the process if something that holds for all bytes does not.
inline void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "it does not hold that %s\n", what);
  std::abort();
}

}  // namespace fjord::test
