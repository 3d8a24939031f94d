/// Checks of lists of numbers that distributions are made of.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "fjord/autodiff/errors.hpp"
#include "fjord/ode/report.hpp"

namespace fjord::flows {

/// Errors:  std::invalid_argument "[op] every NAME must be ..." if a number, rounded to T, is not
///          finite, or not positive where `positive` asks for that.
template <class T>
void check_numbers(const std::vector<double>& numbers, bool positive, const char* op,
                   const char* name) {
  for (const double number : numbers) {
    const T as_kept = static_cast<T>(number);
    require(std::isfinite(as_kept) && (!positive || as_kept > 0), op, [&] {
      return std::string("every ") + name + " must be " + (positive ? "positive and " : "") +
             "finite, got " + ode::short_number(number);
    });
  }
}

/// Errors:  std::invalid_argument "[op] ..." if there are not `needed` numbers, 1 or more.
inline void check_count(const std::vector<double>& numbers, std::size_t needed, const char* op,
                        const char* name) {
  require(needed > 0 && numbers.size() == needed, op, [&] {
    return std::to_string(needed) + " numbers are needed as " + name + ", 1 or more, got " +
           std::to_string(numbers.size());
  });
}

}  // namespace fjord::flows
