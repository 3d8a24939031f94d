/// Rounded numbers.
#pragma once

#include <span>

namespace fjord::apps::density {

/// The step to which numbers were rounded: the largest power of ten, from 10^6 down to 10^-9, of
/// which all are multiples, if many of them are equal; 0 if there is none.
///
/// Units:   many: the different numbers are less than half of all.
double rounding_of(std::span<const double> numbers);

/// The least difference between numbers, rounded or of few kinds, of which many are equal; 0 if
/// there is none.
///
/// Units:   many: as above. Differences below 1e-9 of the range come of rounding errors.
double step_of(std::span<const double> numbers);

}  // namespace fjord::apps::density
