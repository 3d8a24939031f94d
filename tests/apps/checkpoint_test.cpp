#include "fjord/apps/common/checkpoint.hpp"

#include <doctest/doctest.h>

#include "fjord/autodiff/files.hpp"
#include "fjord/nn/safetensors.hpp"
#include "fjord/optim/adam.hpp"
#include "fjord/tests/support/temporary_folder.hpp"

namespace fjord::apps {
namespace {

using test::TemporaryFolder;

// Two parameters and their optimiser.
template <class T>
struct Run {
  Parameter<T> weight{Tensor<T>{{T(0.1), T(2)}, {T(-3), T(4)}}};
  Parameter<T> bias{Tensor<T>{T(0.5), T(-0.25)}};
  nn::NamedParameters<T> parameters{{"weight", &weight}, {"bias", &bias}};
  optim::Adam<T> adam{{&weight, &bias}, {.rate = 0.01}};

  void step(T scale) {
    const std::vector<T> gradient{scale, T(1), T(2), T(3) / 7, T(-4), scale};
    adam.step(gradient);
  }
};

const Settings settings{{"epochs", "3"}, {"threads", "1"}, {"out", "a"}, {"rate", "0.01"}};

Position some_position() {
  Position p;
  p.epoch = 2;
  p.batch = 5;
  p.steps = 69;
  p.loss_sum = 0.1 + 0.2;
  p.rows = 1280;
  p.evaluation_sum = 1.0 / 3;
  p.last_evaluations = 81.5;
  p.seconds = 1e-3;
  p.metrics = "{\"epoch\":1}\n{\"epoch\":2}\n";
  return p;
}

TEST_CASE_TEMPLATE("checkpoint: a restored run goes on to the same bits", T, float, double) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path / "checkpoint";
  Run<T> whole;
  whole.step(T(0.3));
  save_checkpoint(file, whole.parameters, whole.adam, some_position(), settings);
  Run<T> resumed;
  const Position p = load_checkpoint(file, resumed.parameters, resumed.adam, settings, settings);
  CHECK((p.epoch == 2 && p.batch == 5 && p.steps == 69 && !p.finished));
  CHECK((p.loss_sum == 0.1 + 0.2 && p.rows == 1280 && p.evaluation_sum == 1.0 / 3));
  CHECK((p.last_evaluations == 81.5 && p.seconds == 1e-3));
  CHECK(p.metrics == some_position().metrics);
  whole.step(T(-1.7));
  resumed.step(T(-1.7));
  CHECK(resumed.weight.value() == whole.weight.value());
  CHECK(resumed.bias.value() == whole.bias.value());
}

TEST_CASE("checkpoint: only a run that did not come to its end is unfinished") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path / "checkpoint";
  CHECK_FALSE(is_unfinished(file));
  Run<float> run;
  Position position;
  save_checkpoint(file, run.parameters, run.adam, position, settings);
  CHECK(is_unfinished(file));
  position.finished = true;
  save_checkpoint(file, run.parameters, run.adam, position, settings);
  CHECK_FALSE(is_unfinished(file));
}

TEST_CASE("checkpoint: settings that change a run are compared, the others are not") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path / "checkpoint";
  Run<float> run;
  save_checkpoint(file, run.parameters, run.adam, Position(), settings);
  Settings defaults = settings;
  defaults["taste"] = "plain";  // came after the checkpoint
  const auto load = [&](const char* name, const char* value) {
    Settings changed = settings;
    changed[name] = value;
    load_checkpoint(file, run.parameters, run.adam, changed, defaults);
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
  CHECK_THROWS_WITH_AS(load_checkpoint(file, run.parameters, run.adam, fewer, fewer),
                       doctest::Contains("with --rate 0.01, which this version does not have"),
                       std::invalid_argument);
}

TEST_CASE("checkpoint: files that are none are refused") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path / "checkpoint";
  Run<float> run;
  const auto refuses = [&](const char* message) {
    CHECK_THROWS_WITH_AS(load_checkpoint(file, run.parameters, run.adam, settings, settings),
                         doctest::Contains(message), std::invalid_argument);
    CHECK_THROWS_WITH_AS(load_checkpoint(file, run.parameters, run.adam, settings, settings),
                         doctest::Contains("; name another --out"), std::invalid_argument);
  };
  write_file(file, "junk of more than eight bytes");
  refuses("checkpoint");
  CHECK_THROWS_AS(is_unfinished(file), std::invalid_argument);
  save_checkpoint(file, run.parameters, run.adam, some_position(), settings);
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
  change([](nn::State& s) {
    std::string& text = s.metadata["run"];
    text.replace(text.find("\"batch\":5"), 9, "\"batch\":-5");
  });
  refuses("damaged");
  change([](nn::State& s) { s.tensors.erase("weight"); });
  refuses("lacks the tensor weight");
  change([](nn::State& s) { s.tensors["bias"] = Tensor<double>{0.5, -0.25}; });
  refuses("lacks the tensor bias in the run's precision");
  change([](nn::State& s) { s.tensors["bias"] = Tensor<float>{0.5F}; });
  refuses("tensor bias has another shape");
}

}  // namespace
}  // namespace fjord::apps
