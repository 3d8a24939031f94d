#include "fjord/apps/common/progress.hpp"

#include <doctest/doctest.h>

namespace fjord::apps {
namespace {

TEST_CASE("progress: the bar fills the width that it has and no more") {
  ProgressState state;
  state.epoch = 21;
  state.epochs = 40;
  state.step = 640;
  state.steps = 1280;
  state.nll = 0.5634;
  state.evaluations = 117.4;
  const std::string numbers =
      " epoch 21/40  step 640  NLL 0.563  117 evals  100 steps/s  0:07 left";
  CHECK(progress_bar(state, 100, 200) == "[===============               ]" + numbers);
  CHECK(progress_bar(state, 100, 79) == "[====     ]" + numbers);
  CHECK(progress_bar(state, 100, 70) == numbers);
  CHECK(progress_bar(state, 100, 12) == numbers.substr(0, 12));
  state.step = 1280;
  CHECK(progress_bar(state, 100, 200).starts_with("[==============================] "));
}

TEST_CASE("progress: the time left is rounded up to seconds") {
  ProgressState state;
  state.step = 1;
  state.steps = 60 * 61 + 2;
  CHECK(progress_bar(state, 1, 100).ends_with(" 61:01 left"));
}

}  // namespace
}  // namespace fjord::apps
