#include <cstdio>
#include <cstdlib>
#include <malloc.h>
#include <stdexcept>
#include <string>
#include <unistd.h>

#include "fjord/apps/common/message.hpp"
#include "fjord/apps/moons/evaluate.hpp"
#include "fjord/apps/moons/options.hpp"
#include "fjord/apps/moons/train.hpp"
#include "fjord/autodiff/blas.hpp"

namespace {

// An OpenBLAS that does not know the processor falls back to kernels of 2004, and reads which ones
// to use only as it is loaded: so name them and start again.
void use_best_blas_kernels(char** argv) {
  if (std::getenv("OPENBLAS_CORETYPE") != nullptr) return;
  const std::string core = fjord::blas_report().better_core;
  if (core.empty()) return;
  setenv("OPENBLAS_CORETYPE", core.c_str(), 1);
  execv("/proc/self/exe",
        argv);  // returns only if it fails, and then slow is better than not at all
}

int run(int argc, char** argv) {
  using namespace fjord::apps;
  const Command command = parse_command_line(argc, argv);
  int status = 0;
  if (const auto* options = std::get_if<TrainOptions>(&command)) status = train(*options);
  if (const auto* options = std::get_if<ScoreOptions>(&command)) score(*options);
  if (const auto* options = std::get_if<SampleOptions>(&command)) sample(*options);
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    throw std::runtime_error("standard output could not be written; check where it goes");
  }
  return status;
}

int report(const char* what, int status) {
  std::fprintf(stderr, "moons: %s\n", fjord::apps::plain_message(what).c_str());
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  use_best_blas_kernels(argv);
  // Memory that a step gives back is taken again by the next: do not return it to the system in
  // between.
  mallopt(M_TRIM_THRESHOLD, 1 << 28);
  try {
    return run(argc, argv);
  } catch (const std::invalid_argument& error) {
    return report(error.what(), 2);
  } catch (const fjord::ode::SolveFailure& failure) {
    return report(fjord::apps::message_of(failure).c_str(), 1);
  } catch (const std::bad_alloc&) {
    return report("memory ran out; ask for fewer points or a smaller network", 1);
  } catch (const std::exception& error) {
    return report(error.what(), 1);
  }
}
