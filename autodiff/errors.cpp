#include "fjord/autodiff/errors.hpp"

namespace fjord {

void fail(std::string_view op, std::string_view message) {
  throw std::invalid_argument("[" + std::string(op) + "] " + std::string(message));
}

void fail_numerically(std::string_view op, std::string_view message) {
  throw NumericalError("[" + std::string(op) + "] " + std::string(message));
}

}  // namespace fjord
