#include "fjord/optim/option_checks.hpp"

#include <cmath>
#include <string>

#include "fjord/autodiff/errors.hpp"

namespace fjord::optim {
namespace {

void check(bool holds, std::string_view op, std::string_view field, const char* range,
           double value) {
  require(holds, op, [&] {
    return std::string(field) + " must be " + range + ", got " + std::to_string(value);
  });
}

}  // namespace

void check_positive(std::string_view op, std::string_view field, double value) {
  check(value > 0 && std::isfinite(value), op, field, "positive", value);
}

void check_not_negative(std::string_view op, std::string_view field, double value) {
  check(value >= 0 && std::isfinite(value), op, field, "finite and not negative", value);
}

void check_decay(std::string_view op, std::string_view field, double value) {
  check(value >= 0 && value < 1, op, field, "in [0, 1)", value);
}

void check_fraction(std::string_view op, std::string_view field, double value) {
  check(value > 0 && value <= 1, op, field, "in (0, 1]", value);
}

}  // namespace fjord::optim
