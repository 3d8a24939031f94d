#include "fjord/apps/common/checkpoint.hpp"

#include <doctest/doctest.h>

#include "fjord/autodiff/files.hpp"
#include "fjord/nn/safetensors.hpp"
#include "fjord/tests/support/temporary_folder.hpp"

namespace fjord::apps {
namespace {

using test::TemporaryFolder;

const Settings settings{{"epochs", "3"}, {"threads", "1"}, {"out", "a"}, {"rate", "0.01"}};

// A state such as that of a training run.
nn::State some_state() {
  nn::State state;
  state.tensors["now.parameters"] = Tensor<float>{0.1F, -3};
  state.metadata["fit"] = "{}";
  return state;
}

const RunRecord some_record{1.0 / 3, "{\"epoch\":1}\n{\"epoch\":2}\n", false};

TEST_CASE("checkpoint: state and record come back bit for bit") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path / "checkpoint";
  write_file(file, format_checkpoint(some_state(), some_record, settings));
  const Checkpoint checkpoint = load_checkpoint(file, settings, settings);
  CHECK(checkpoint.record.seconds == 1.0 / 3);
  CHECK(checkpoint.record.metrics == some_record.metrics);
  CHECK_FALSE(checkpoint.record.finished);
  CHECK(std::get<Tensor<float>>(checkpoint.state.tensors.at("now.parameters")) ==
        Tensor<float>{0.1F, -3});
  CHECK(checkpoint.state.metadata.at("fit") == "{}");
}

TEST_CASE("checkpoint: only a run that did not come to its end is unfinished") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path / "checkpoint";
  CHECK_FALSE(is_unfinished(file));
  RunRecord record;
  write_file(file, format_checkpoint(some_state(), record, settings));
  CHECK(is_unfinished(file));
  record.finished = true;
  write_file(file, format_checkpoint(some_state(), record, settings));
  CHECK_FALSE(is_unfinished(file));
}

TEST_CASE("checkpoint: settings that change a run are compared, the others are not") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path / "checkpoint";
  write_file(file, format_checkpoint(some_state(), RunRecord(), settings));
  Settings defaults = settings;
  defaults["taste"] = "plain";  // came after the checkpoint
  const auto load = [&](const char* name, const char* value) {
    Settings changed = settings;
    changed[name] = value;
    load_checkpoint(file, changed, defaults);
  };
  CHECK_NOTHROW(load("epochs", "9"));
  CHECK_NOTHROW(load("threads", "9"));
  CHECK_NOTHROW(load("out", "b"));
  CHECK_THROWS_WITH_AS(
      load("rate", "0.02"),
      "[--resume] the checkpoint was made with --rate 0.01, not 0.02; give --rate 0.01, "
      "or another --out",
      std::invalid_argument);
  CHECK_NOTHROW(load("taste", "plain"));
  CHECK_THROWS_WITH_AS(load("taste", "x"), doctest::Contains("--taste plain, not x"),
                       std::invalid_argument);
  Settings fewer = settings;
  fewer.erase("rate");
  CHECK_THROWS_WITH_AS(load_checkpoint(file, fewer, fewer),
                       doctest::Contains("with --rate 0.01, which this version does not have"),
                       std::invalid_argument);
}

TEST_CASE("checkpoint: files that are none are refused") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path / "checkpoint";
  const auto refuses = [&](const char* message) {
    CHECK_THROWS_WITH_AS(load_checkpoint(file, settings, settings), doctest::Contains(message),
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(load_checkpoint(file, settings, settings),
                         doctest::Contains("; name another --out"), std::invalid_argument);
  };
  write_file(file, "junk of more than eight bytes");
  refuses("checkpoint");
  CHECK_THROWS_AS(is_unfinished(file), std::invalid_argument);
  write_file(file, format_checkpoint(some_state(), some_record, settings));
  const nn::State whole = nn::load_safetensors(file);
  const auto change = [&](const auto& edit) {
    nn::State state = whole;
    edit(state);
    nn::save_safetensors(file, state);
  };
  change([](nn::State& s) { s.metadata["format"] = "fjord-flow"; });
  refuses("not a checkpoint of Fjord");
  change([](nn::State& s) { s.metadata["run"] = "{}"; });
  refuses("damaged");

  /// A training run that no state fits.
  struct Run {
    void restore(const nn::State&) { throw std::invalid_argument("[fit] the state is damaged"); }
  };

  Run run;
  CHECK_THROWS_WITH_AS(restore(run, whole, file), doctest::Contains("the state is damaged; name"),
                       std::invalid_argument);
}

}  // namespace
}  // namespace fjord::apps
