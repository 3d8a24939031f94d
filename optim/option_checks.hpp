/// Checks of options, shared by all parts of the layer.
#pragma once

#include <string_view>

namespace fjord::optim {

/// Checks that a number is finite and > 0.
///
/// Errors:  std::invalid_argument, which names `op` and the field, if not.
void check_positive(std::string_view op, std::string_view field, double value);

/// As `check_positive`, for finite and >= 0.
void check_not_negative(std::string_view op, std::string_view field, double value);

/// As `check_positive`, for [0, 1).
void check_decay(std::string_view op, std::string_view field, double value);

/// As `check_positive`, for (0, 1].
void check_fraction(std::string_view op, std::string_view field, double value);

}  // namespace fjord::optim
