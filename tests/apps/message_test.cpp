#include "fjord/apps/common/message.hpp"

#include <doctest/doctest.h>

namespace fjord::apps {
namespace {

TEST_CASE("message: what to do about a failed solve is said in options of the programs") {
  for (const ode::Status status :
       {ode::Status::max_steps, ode::Status::stiff, ode::Status::step_too_small,
        ode::Status::tolerances_too_fine, ode::Status::non_finite, ode::Status::not_solved,
        ode::Status::irreversible}) {
    ode::Report report;
    report.status = status;
    const ode::SolveFailure failure("rows 1 to 2", ode::SolveFailure(report));
    const std::string message = message_of(failure);
    CAPTURE(message);
    CHECK(message.starts_with("rows 1 to 2: " + report.outcome() + "; "));
    const std::string remedy = message.substr(failure.outcome().size());
    CHECK(remedy.find("--") != std::string::npos);
    for (const char* foreign : {"max_steps", "rtol and atol", "Gradient", "solve"})
      CHECK(remedy.find(foreign) == std::string::npos);
  }
}

TEST_CASE("message: brackets go, and what they say stays where a user knows it") {
  CHECK(plain_message("[matmul] sizes must match, got [2] and [3]") ==
        "sizes must match, got [2] and [3]");
  CHECK(plain_message("[--rate] a positive number is needed") ==
        "--rate: a positive number is needed");
  CHECK(plain_message("[read] x: No such file or directory") ==
        "cannot read x: No such file or directory; check the name");
  CHECK(plain_message("[write] x: No space left on device") ==
        "cannot write x: No space left on device; make room, or name another place");
  CHECK(plain_message("[write] x: Is a directory") ==
        "cannot write x: Is a directory; name a file");
  CHECK(plain_message("[write] x: Input/output error") ==
        "cannot write x: Input/output error; check the name and the free space");
  CHECK(plain_message("block 0: [x] in the middle") == "block 0: [x] in the middle");
  CHECK(plain_message("[unclosed") == "[unclosed");
  CHECK(plain_message("two\nlines") == "two lines");
}

TEST_CASE("message: foreign text is shown as it is, and what cannot be shown is escaped") {
  CHECK(shown("caf\xc3\xa9 \xe2\x88\x92 \xf0\x9f\x90\x9f") ==
        "caf\xc3\xa9 \xe2\x88\x92 \xf0\x9f\x90\x9f");
  CHECK(shown("a\tb\r\n\x1b[0m\x7f") == "a\\tb\\r\\n\\x1b[0m\\x7f");
  CHECK(shown("\xc2\x85") == "\\xc2\\x85");  // a control character beyond ASCII
  // Not UTF-8: a byte of Latin-1, an overlong form, a surrogate, beyond Unicode, cut off.
  CHECK(shown("caf\xe9!") == "caf\\xe9!");
  CHECK(shown("\xc0\xaf") == "\\xc0\\xaf");
  CHECK(shown("\xed\xa0\x80") == "\\xed\\xa0\\x80");
  CHECK(shown("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
  CHECK(shown("\xe2\x88") == "\\xe2\\x88");
  CHECK(shown("\xff\xfe") == "\\xff\\xfe");
  // Never within a character.
  CHECK(shown("abcd", 3) == "abc...");
  CHECK(shown("ab\xc3\xa9", 3) == "ab...");
  CHECK(shown("ab\xc3\xa9", 4) == "ab\xc3\xa9");
}

}  // namespace
}  // namespace fjord::apps
