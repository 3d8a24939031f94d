/// Errors and numbers as a terminal shows them.
#pragma once

#include <string>
#include <string_view>

#include "fjord/ode/solve.hpp"

namespace fjord::apps {

/// An error's text in one line and without brackets: "[--rate] x" becomes "--rate: x", and the name
/// of a function goes. "[read] x" becomes "cannot read x; check the name", or another advice that
/// fits the system's reason at the end of x, and so for "[write] x".
std::string plain_message(std::string_view what);

/// Where and why a solve failed, and what to do about it in the options of the programs.
std::string message_of(const ode::SolveFailure& failure);

/// Foreign text fit for a message of one line: as it is where it is UTF-8, control characters and
/// other bytes escaped as in C, cut after `limit` bytes.
std::string shown(std::string_view text, std::size_t limit = 40);

/// The shortest text that reads back to the same number.
template <class T>
std::string number_text(T value);

}  // namespace fjord::apps
