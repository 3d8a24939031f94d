// Programs of operations chosen by libFuzzer, as tests/autodiff/random_program_test.cpp draws them:
//
//     CXX=clang++ meson setup build-fuzz -Dfuzz=true -Dapps=false
//     ninja -C build-fuzz tests/fuzz_programs
//     build-fuzz/tests/fuzz_programs -max_len=146 -len_control=0 -max_total_time=600
#include <cstdio>
#include <cstdlib>

#include "fjord/tests/support/random_program.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count);

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  const std::string failure = fjord::test::check_program({bytes, count});
  if (failure.empty()) return 0;
  std::fputs(failure.c_str(), stderr);
  std::abort();
}
