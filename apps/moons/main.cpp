#include "fjord/apps/common/evaluate.hpp"
#include "fjord/apps/common/program.hpp"
#include "fjord/apps/moons/options.hpp"
#include "fjord/apps/moons/train.hpp"

namespace {

int run(int argc, char** argv, const fjord::Communicator& ranks) {
  using namespace fjord::apps;
  Command command;
  fjord::agree(ranks, [&] { command = parse_command_line(argc, argv); });
  int status = 0;
  if (const auto* options = std::get_if<TrainOptions>(&command)) status = train(*options, ranks);
  if (const auto* options = std::get_if<ScoreOptions>(&command))
    status = score("moons", *options, ranks);
  if (const auto* options = std::get_if<SampleOptions>(&command)) status = sample(*options, ranks);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  return fjord::apps::run_program(
      "moons", argv, [=](const fjord::Communicator& ranks) { return run(argc, argv, ranks); });
}
