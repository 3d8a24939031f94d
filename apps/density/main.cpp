#include "fjord/apps/common/evaluate.hpp"
#include "fjord/apps/common/program.hpp"
#include "fjord/apps/common/ranks.hpp"
#include "fjord/apps/density/check.hpp"
#include "fjord/apps/density/convert.hpp"
#include "fjord/apps/density/fit.hpp"
#include "fjord/apps/density/info.hpp"
#include "fjord/apps/density/options.hpp"
#include "fjord/apps/density/plot.hpp"
#include "fjord/apps/density/report.hpp"

namespace {

// What does not take long is the work of rank 0.
template <class Options, class Command>
void run_on_first_rank(const fjord::Communicator& ranks, const Options& options, Command command) {
  fjord::apps::lead(ranks, [&] {
    command(options);
    return 0;
  });
}

int run(int argc, char** argv, const fjord::Communicator& ranks) {
  using namespace fjord::apps;
  density::Command command;
  fjord::agree(ranks, [&] { command = density::parse_command_line(argc, argv); });
  int status = 0;
  if (const auto* options = std::get_if<density::FitOptions>(&command))
    status = density::fit(*options, ranks);
  if (const auto* options = std::get_if<ScoreOptions>(&command))
    status = score("density", *options, ranks);
  if (const auto* options = std::get_if<SampleOptions>(&command)) status = sample(*options, ranks);
  if (const auto* options = std::get_if<density::ConvertOptions>(&command))
    status = lead(ranks, [&] { return density::convert(*options); });
  if (const auto* options = std::get_if<density::InfoOptions>(&command))
    run_on_first_rank(ranks, options->model, density::info);
  if (const auto* options = std::get_if<density::CheckOptions>(&command))
    run_on_first_rank(ranks, *options, density::check);
  if (const auto* options = std::get_if<density::PlotOptions>(&command))
    run_on_first_rank(ranks, *options, density::plot);
  if (const auto* options = std::get_if<density::ReportOptions>(&command))
    run_on_first_rank(ranks, *options, density::report);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  return fjord::apps::run_program(
      "density", argv, [=](const fjord::Communicator& ranks) { return run(argc, argv, ranks); });
}
