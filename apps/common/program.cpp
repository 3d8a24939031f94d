#include "fjord/apps/common/program.hpp"

#include <cstdio>
#include <cstdlib>
#include <malloc.h>
#include <new>
#include <stdexcept>
#include <unistd.h>

#include "fjord/apps/common/message.hpp"
#include "fjord/autodiff/blas.hpp"

namespace fjord::apps {
namespace {

// An OpenBLAS that does not know the processor falls back to kernels of 2004, and reads which ones
// to use only as it is loaded: so name them and start again.
void use_best_blas_kernels(char** argv) {
  if (std::getenv("OPENBLAS_CORETYPE") != nullptr) return;
  const std::string core = blas_report().better_core;
  if (core.empty()) return;
  setenv("OPENBLAS_CORETYPE", core.c_str(), 1);
  // Returns only if it fails, and then slow is better than not at all.
  execv("/proc/self/exe", argv);
}

int run(const std::function<int()>& work) {
  const int status = work();
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    throw std::runtime_error("standard output could not be written; check where it goes");
  }
  return status;
}

}  // namespace

int run_program(const char* name, char** argv, const std::function<int()>& work) {
  use_best_blas_kernels(argv);
  // Memory that a step gives back is taken again by the next: do not return it to the system in
  // between.
  mallopt(M_TRIM_THRESHOLD, 1 << 28);
  const auto report = [name](const std::string& what, int status) {
    print_note(name, plain_message(what));
    return status;
  };
  try {
    return run(work);
  } catch (const std::invalid_argument& error) {
    return report(error.what(), 2);
  } catch (const ode::SolveFailure& failure) {
    return report(message_of(failure), 1);
  } catch (const std::bad_alloc&) {
    return report("memory ran out; ask for fewer points or a smaller network", 1);
  } catch (const std::exception& error) {
    return report(error.what(), 1);
  }
}

void print_note(const char* name, const std::string& text) {
  std::fprintf(stderr, "%s: %s\n", name, text.c_str());
}

}  // namespace fjord::apps
