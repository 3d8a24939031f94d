#include "fjord/apps/common/memory.hpp"

#include <stdexcept>
#include <sys/resource.h>

#include <doctest/doctest.h>

namespace fjord::apps {
namespace {

TEST_CASE(
    "memory: a limit of the process counts, and a larger need is refused by the option's name") {
  struct rlimit before {};

  REQUIRE(::getrlimit(RLIMIT_AS, &before) == 0);
  const double unlimited = usable_memory();
  CHECK(unlimited > 1e8);
  // Sanitizers reserve terabytes of addresses, so nothing may be allocated under the limit.
  struct rlimit limit = before;
  limit.rlim_cur = 50'000'000;
  ::setrlimit(RLIMIT_AS, &limit);
  const double limited = usable_memory();
  ::setrlimit(RLIMIT_AS, &before);
  CHECK(limited == 50e6);
  CHECK_NOTHROW(check_memory("points", unlimited));
  CHECK_THROWS_WITH_AS(check_memory("points", 1e20),
                       doctest::Contains("[--points] at least 100000000000.0 GB of memory would be "
                                         "needed, and there are "),
                       std::invalid_argument);
}

}  // namespace
}  // namespace fjord::apps
