// Models: a whole file, or, if it begins with a brace, the tree of parts alone, beside numbers
// enough for its parts to be made.
#include <stdexcept>

#include "fjord/flows/model_file.hpp"
#include "fjord/tests/fuzz/fuzz.hpp"

namespace {

using fjord::nn::State;

State state_of(std::string_view bytes) {
  if (!bytes.starts_with('{')) return fjord::nn::parse_safetensors(bytes, "m.safetensors");
  State state;
  state.metadata = {{"format", "fjord-flow"}, {"model", std::string(bytes)}};
  state.tensors["spare"] = fjord::Tensor<double>::zeros({4096});
  return state;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  try {
    const State state = state_of(fjord::test::text_of(bytes, count));
    const auto model = fjord::flows::model_of<double>(state);
    const fjord::flows::ColumnNames names = fjord::flows::column_names_of(state);
    const State again = fjord::flows::state_of(*model, names);
    fjord::test::check(fjord::flows::model_of<double>(again)->dim() == model->dim(),
                       "what is written reads back");
  } catch (const std::invalid_argument&) {
    return 0;
  }
  return 0;
}
