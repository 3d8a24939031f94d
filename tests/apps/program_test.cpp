#include "fjord/apps/common/program.hpp"

#include <new>
#include <stdexcept>

#include <doctest/doctest.h>

#include "fjord/autodiff/errors.hpp"
#include "fjord/ode/solve.hpp"

namespace fjord::apps {
namespace {

template <class Error>
int status_after(const Error& error) {
  return run_program("test", nullptr, [&](const Communicator&) -> int { throw error; });
}

TEST_CASE("program: the exit status is that of the work, or tells whose mistake it was") {
  setenv("OPENBLAS_CORETYPE", "", 0);  // or the test would be started again
  CHECK(run_program("test", nullptr, [](const Communicator&) { return 0; }) == 0);
  CHECK(run_program("test", nullptr, [](const Communicator&) { return 130; }) == 130);
  CHECK(status_after(std::invalid_argument("[--rate] x")) == 2);
  CHECK(status_after(NumericalError("x")) == 1);
  CHECK(status_after(ode::SolveFailure(ode::Report())) == 1);
  CHECK(status_after(std::bad_alloc()) == 1);
  using Kind = RankFailure::Kind;
  CHECK(status_after(RankFailure(1, false, Kind::mistake, "[--rate] x")) == 2);
  CHECK(status_after(RankFailure(1, false, Kind::memory, "x")) == 1);
}

}  // namespace
}  // namespace fjord::apps
