/// How Fjord reports a caller's mistake, and a result that does not exist.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace fjord {

/// Throws std::invalid_argument with "[op] message".
[[noreturn]] void fail(std::string_view op, std::string_view message);

/// Thrown where the numbers have no result: a singular matrix to invert, one without a Cholesky
/// factor.
class NumericalError final : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws NumericalError with "[op] message".
[[noreturn]] void fail_numerically(std::string_view op, std::string_view message);

/// Checks a caller's argument; the message, and what makes a text of `op`, is only built when the
/// check fails.
///
/// Errors:  std::invalid_argument with "[op] message" if `holds` is false.
template <class Name, class Message>
void require(bool holds, const Name& op, Message&& message) {
  if (holds) [[likely]]
    return;
  if constexpr (std::is_invocable_v<Message>) {
    fail(op, message());
  } else {
    fail(op, message);
  }
}

}  // namespace fjord
