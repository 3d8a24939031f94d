// Files of tensors and metadata.
#include <stdexcept>

#include "fjord/nn/safetensors.hpp"
#include "fjord/tests/fuzz/fuzz.hpp"

namespace {

// The state of a file, or nothing if it is refused.
bool read_state(std::string_view bytes, fjord::nn::State& state) {
  try {
    state = fjord::nn::parse_safetensors(bytes, "x.safetensors");
    return true;
  } catch (const std::invalid_argument&) {
    return false;
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  fjord::nn::State state;
  if (!read_state(fjord::test::text_of(bytes, count), state)) return 0;
  // What can be read can be written, and reads back.
  const std::string written = fjord::nn::format_safetensors(state);
  fjord::nn::State again;
  fjord::test::check(read_state(written, again), "what is written can be read");
  fjord::test::check(fjord::nn::format_safetensors(again) == written,
                     "what is written reads back to the same");
  return 0;
}
