/// Rounded numbers.
#pragma once

#include <span>

namespace fjord::apps::density {

/// The step to which numbers were rounded: the largest power of ten, from 10^6 down to 10^-9, of
/// which all are multiples, if many of them are equal; 0 if there is none.
///
/// Units:   many: the different numbers are less than half of all.
double rounding_of(std::span<const double> numbers);

}  // namespace fjord::apps::density
