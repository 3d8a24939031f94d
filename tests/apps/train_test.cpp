#include "fjord/apps/moons/train.hpp"

#include <doctest/doctest.h>

#include "fjord/tests/support/temporary_folder.hpp"
#include "fjord/tests/support/watched_run.hpp"

namespace fjord::apps {
namespace {

TEST_CASE("train: checkpoints are written within an epoch, too") {
  const test::TemporaryFolder folder;
  TrainOptions options;
  options.points = 2560;  // ten steps an epoch
  options.epochs = 2;
  options.out = folder.path / "often";
  CHECK(test::sees_step_within_epoch(options.out,
                                     [&] { CHECK(train(options, single_process(), {}) == 0); }));
  options.out = folder.path / "seldom";
  CHECK_FALSE(test::sees_step_within_epoch(options.out,
                                           [&] { CHECK(train(options, single_process()) == 0); }));
}

}  // namespace
}  // namespace fjord::apps
