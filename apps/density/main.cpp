#include "fjord/apps/common/evaluate.hpp"
#include "fjord/apps/common/program.hpp"
#include "fjord/apps/density/check.hpp"
#include "fjord/apps/density/fit.hpp"
#include "fjord/apps/density/info.hpp"
#include "fjord/apps/density/options.hpp"
#include "fjord/apps/density/plot.hpp"
#include "fjord/apps/density/report.hpp"

namespace {

int run(int argc, char** argv) {
  using namespace fjord::apps;
  const density::Command command = density::parse_command_line(argc, argv);
  int status = 0;
  if (const auto* options = std::get_if<density::FitOptions>(&command))
    status = density::fit(*options);
  if (const auto* options = std::get_if<ScoreOptions>(&command)) score(*options);
  if (const auto* options = std::get_if<SampleOptions>(&command)) sample(*options);
  if (const auto* options = std::get_if<density::InfoOptions>(&command))
    density::info(options->model);
  if (const auto* options = std::get_if<density::CheckOptions>(&command)) density::check(*options);
  if (const auto* options = std::get_if<density::PlotOptions>(&command)) density::plot(*options);
  if (const auto* options = std::get_if<density::ReportOptions>(&command))
    density::report(*options);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  return fjord::apps::run_program("density", argv, [=] { return run(argc, argv); });
}
