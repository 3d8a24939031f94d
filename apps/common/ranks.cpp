#include "fjord/apps/common/ranks.hpp"

#include <string>

namespace fjord::apps {

int lead(const Communicator& ranks, const std::function<int()>& action) {
  return std::stoi(from_first_rank(ranks, [&] { return std::to_string(action()); }));
}

nn::State state_of_first_rank(const Communicator& ranks, const std::function<nn::State()>& read) {
  if (ranks.size() == 1) return read();
  return nn::parse_safetensors(
      from_first_rank(ranks, [&] { return nn::format_safetensors(read()); }), "rank 0");
}

}  // namespace fjord::apps
