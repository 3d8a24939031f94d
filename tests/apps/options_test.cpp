#include "fjord/apps/moons/options.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "fjord/apps/common/cores.hpp"
#include "fjord/apps/common/solver_settings.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/tests/support/temporary_folder.hpp"

namespace fjord::apps {
namespace {

using test::TemporaryFolder;

Command parse(std::vector<std::string> words) {
  words.insert(words.begin(), "moons");
  std::vector<char*> arguments;
  arguments.reserve(words.size());
  for (std::string& word : words) arguments.push_back(word.data());
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

TrainOptions parse_train(std::vector<std::string> words) {
  words.insert(words.begin(), "train");
  return std::get<TrainOptions>(parse(words));
}

TEST_CASE("options: the defaults are those of the demo") {
  const std::map<std::string, std::string> expected{
      {"preset", "demo"}, {"out", "runs/moons"},        {"epochs", "40"},       {"batch", "256"},
      {"rate", "0.01"},   {"points", "8192"},           {"noise", "0.06"},      {"blocks", "4"},
      {"hidden", "8,8"},  {"activation", "tanh"},       {"rtol", "0.001"},      {"atol", "1e-05"},
      {"trace", "exact"}, {"method", "dormand_prince"}, {"gradient", "direct"}, {"seed", "0"},
      {"threads", "0"},   {"precision", "float"}};
  CHECK(settings_of(parse_train({})) == expected);
  CHECK_FALSE(parse_train({}).resume);
  const auto score =
      std::get<ScoreOptions>(parse({"score", "--model", "m", "--data", "d", "--out", "o"}));
  CHECK((score.rtol == 1e-6 && score.atol == 1e-6 && score.precision == "double"));
  CHECK((score.trace == "exact" && score.seed == 0 && score.threads == 0));
  const auto sample =
      std::get<SampleOptions>(parse({"sample", "--model", "m", "--count", "5", "--out", "o"}));
  CHECK((sample.count == 5 && sample.rtol == 1e-3 && sample.atol == 1e-5 && sample.seed == 0));
}

TEST_CASE("options: the command line wins over the file, and the file over the defaults") {
  const TemporaryFolder folder;
  const std::string file = (folder.path / "run.toml").string();
  write_file(file, "# mine\nepochs = 7\nrate = 1\nhidden = \"16\"\nseed = 9223372036854775807\n");
  for (const TrainOptions& o : {parse_train({"--epochs", "3", "--config", file, "--resume"}),
                                parse_train({"--config=" + file, "--epochs=3", "--resume"})}) {
    CHECK(o.epochs == 3);
    CHECK(o.rate == 1);
    CHECK(o.hidden == "16");
    CHECK(o.seed == 9223372036854775807U);
    CHECK(o.batch == 256);
    CHECK(o.resume);
  }
}

TEST_CASE("options: what config_text writes reads back to the same options") {
  const TemporaryFolder folder;
  const std::string file = (folder.path / "config.toml").string();
  TrainOptions options = parse_train({});
  options.out = "a \"b\" 'c' \\d \xc3\xa9 = # [e]\n\t\x01\x7f";
  options.epochs = 123;
  options.rate = 0.1 + 0.2;
  options.noise = 0;
  options.rtol = 1e-300;
  options.hidden = "5,6,7";
  options.seed = 9223372036854775807U;
  options.precision = "double";
  write_file(file, config_text(options));
  CHECK(settings_of(parse_train({"--config", file})) == settings_of(options));
  // The line end that a text of several lines begins with does not count in TOML.
  options.out = "\na\n";
  write_file(file, config_text(options));
  CHECK(parse_train({"--config", file}).out == "\na\n");
}

TEST_CASE("options: numbers of every size and sign read back from a config file") {
  const TemporaryFolder folder;
  const std::string file = (folder.path / "config.toml").string();
  for (const double noise : {0.0, 1.0, 0.1, 9007199254740994.0, 233352352008751e4, 1e300}) {
    TrainOptions options = parse_train({});
    options.noise = noise;
    write_file(file, config_text(options));
    CHECK(parse_train({"--config", file}).noise == noise);
  }
  TrainOptions options = parse_train({});
  options.noise = -0.0;
  write_file(file, config_text(options));
  CHECK(std::signbit(parse_train({"--config", file}).noise));
}

TEST_CASE("options: every setting is in its range or an error that names it") {
  struct Case {
    const char* name;
    const char* value;
  };

  const Case cases[] = {{"epochs", "0"},
                        {"batch", "-1"},
                        {"points", "1000000001"},
                        {"blocks", "10001"},
                        {"rate", "0"},
                        {"rate", "nan"},
                        {"noise", "-0.1"},
                        {"noise", "inf"},
                        {"hidden", "8,"},
                        {"hidden", "8,x"},
                        {"hidden", "0"},
                        {"hidden", "65537"},
                        {"activation", "relu"},
                        {"rtol", "-1"},
                        {"atol", "0"},
                        {"trace", "none"},
                        {"method", "rk4"},
                        {"gradient", "none"},
                        {"precision", "x"},
                        {"threads", "1025"},
                        {"seed", "-1"},
                        {"seed", "9223372036854775808"},
                        {"out", "o\xff"},
                        {"out", "\xed\xa0\x80"}};
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const std::string option = std::string("--") + c.name;
    CHECK_THROWS_WITH_AS(parse_train({option + "=" + c.value}),
                         doctest::Contains(("[" + option + "]").c_str()), std::invalid_argument);
  }
  CHECK_THROWS_WITH_AS(parse({}), doctest::Contains("train, score or sample"),
                       std::invalid_argument);
}

TEST_CASE("options: architecture and numerics are what was asked for") {
  const TrainOptions options =
      parse_train({"--hidden", "5,6,7", "--blocks", "3", "--activation", "sin"});
  const flows::FlowSettings flow = flow_settings(options);
  CHECK(flow.hidden == std::vector<Index>{5, 6, 7});
  CHECK(flow.blocks == 3);
  CHECK(flow.activation == "sin");
  CHECK((flow.dim == 2 && flow.t0 == 0 && flow.t1 == 1 && flow.base_scale == 0.8));
  const flows::SolverSettings numerics = solver_settings(1e-4, 1e-7, "hutchinson", "float");
  CHECK(numerics.solve.rtol == 1e-4);
  CHECK(numerics.solve.atol == 1e-7);
  CHECK(numerics.trace == flows::Trace::hutchinson);
  CHECK(solver_settings(1e-4, 1e-7, "exact", "float").trace == flows::Trace::exact);
  CHECK(thread_count(3) == 3);
  CHECK(thread_count(0) >= 1);
}

TEST_CASE("options: tolerances finer than the numbers are refused") {
  CHECK_NOTHROW(solver_settings(1e-6, 1e-12, "exact", "float"));
  CHECK_NOTHROW(solver_settings(1e-12, 1e-12, "exact", "double"));
  CHECK_THROWS_WITH_AS(solver_settings(1e-8, 1e-8, "exact", "float"),
                       doctest::Contains("finer than float precision"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(solver_settings(1e-16, 1e-16, "exact", "double"),
                       doctest::Contains("finer than double precision"), std::invalid_argument);
}

}  // namespace
}  // namespace fjord::apps
