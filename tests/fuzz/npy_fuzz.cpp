// Arrays of numpy.
#include <stdexcept>

#include "fjord/autodiff/npy.hpp"
#include "fjord/tests/fuzz/fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  try {
    const auto read = fjord::parse_npy<double>(fjord::test::text_of(bytes, count), "x.npy");
    const std::string written = fjord::format_npy(fjord::TensorView<double>(read));
    const auto again = fjord::parse_npy<double>(written, "y.npy");
    // Bytes, because NaN is not equal to itself.
    fjord::test::check(fjord::format_npy(fjord::TensorView<double>(again)) == written,
                       "what is written reads back");
  } catch (const std::invalid_argument&) {
    return 0;
  }
  return 0;
}
