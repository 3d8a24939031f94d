/// The command check: whether rows are distributed as a model says.
#pragma once

#include <string>

#include "fjord/apps/density/look.hpp"

namespace fjord::apps::density {

/// Prints coverage, a test of the rows' levels, one of each column, and one of two samples; see
/// text_of().
///
/// Errors:  std::invalid_argument for the caller's mistakes; ode::SolveFailure and
///          std::range_error otherwise.
void check(const CheckOptions& options);

/// A line for each coverage, as "coverage 50 %  0.486 +- 0.024", for each test, and one that says
/// what follows from them.
std::string text_of(const Judgement& judgement);

/// What follows from the tests, in words.
std::string verdict_of(const Judgement& judgement);

}  // namespace fjord::apps::density
