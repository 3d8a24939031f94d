#include "fjord/apps/common/message.hpp"

#include <doctest/doctest.h>

namespace fjord::apps {
namespace {

TEST_CASE("message: brackets go, and what they say stays where a user knows it") {
  CHECK(plain_message("[matmul] sizes must match, got [2] and [3]") ==
        "sizes must match, got [2] and [3]");
  CHECK(plain_message("[--rate] a positive number is needed") ==
        "--rate: a positive number is needed");
  CHECK(plain_message("[read] x: No such file or directory") ==
        "cannot read x: No such file or directory; check the name");
  CHECK(plain_message("[write] x: No space left on device") ==
        "cannot write x: No space left on device; check the name and the free space");
  CHECK(plain_message("block 0: [x] in the middle") == "block 0: [x] in the middle");
  CHECK(plain_message("[unclosed") == "[unclosed");
  CHECK(plain_message("two\nlines") == "two lines");
}

}  // namespace
}  // namespace fjord::apps
