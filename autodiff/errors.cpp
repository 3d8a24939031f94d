#include "fjord/autodiff/errors.hpp"

#include <stdexcept>

namespace fjord {

void fail(std::string_view op, std::string_view message) {
  throw std::invalid_argument("[" + std::string(op) + "] " + std::string(message));
}

}  // namespace fjord
