#include "fjord/apps/common/evaluate.hpp"
#include "fjord/apps/common/program.hpp"
#include "fjord/apps/moons/options.hpp"
#include "fjord/apps/moons/train.hpp"

namespace {

int run(int argc, char** argv) {
  using namespace fjord::apps;
  const Command command = parse_command_line(argc, argv);
  int status = 0;
  if (const auto* options = std::get_if<TrainOptions>(&command)) status = train(*options);
  if (const auto* options = std::get_if<ScoreOptions>(&command)) score(*options);
  if (const auto* options = std::get_if<SampleOptions>(&command)) sample(*options);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  return fjord::apps::run_program("moons", argv, [=] { return run(argc, argv); });
}
