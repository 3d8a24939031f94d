#include "fjord/apps/common/program.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <malloc.h>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <thread>
#include <unistd.h>

#include "fjord/apps/common/message.hpp"
#include "fjord/autodiff/blas.hpp"
#include "fjord/autodiff/launched_ranks.hpp"

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

int run(const Work& work, const Communicator& ranks) {
  if (ranks.rank() > 0 && std::freopen("/dev/null", "w", stdout) == nullptr)
    throw std::runtime_error("/dev/null cannot be written");
  const int status = work(ranks);
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    throw std::runtime_error("standard output could not be written; check where it goes");
  }
  return status;
}

struct Failure {
  std::string text;
  int status = 1;
  bool names_rank = false;  // or need not
  bool is_agreed = false;   // all ranks have it
};

std::string text_of_memory() {
  return "memory ran out; ask for fewer points or a smaller network";
}

Failure failure_of(const RankFailure& failure) {
  using Kind = RankFailure::Kind;
  const std::string text =
      failure.kind() == Kind::memory ? text_of_memory() : plain_message(failure.what());
  const std::string rank = "rank " + std::to_string(failure.rank()) + ": ";
  return {failure.is_everywhere() ? text : rank + text, failure.kind() == Kind::mistake ? 2 : 1,
          true, true};
}

// Runs the work; what failed, if its status is not that of the work.
std::optional<Failure> failure_in(const Work& work, const Communicator& ranks, int& status) {
  try {
    status = run(work, ranks);
    return std::nullopt;
  } catch (const RankFailure& failure) {
    return failure_of(failure);
  } catch (const std::invalid_argument& error) {
    return Failure{plain_message(error.what()), 2};
  } catch (const ode::SolveFailure& failure) {
    return Failure{plain_message(apps::message_of(failure)), 1, true};
  } catch (const std::range_error& error) {
    return Failure{plain_message(error.what()), 1, true};
  } catch (const std::bad_alloc&) {
    return Failure{text_of_memory(), 1};
  } catch (const std::exception& error) {
    return Failure{plain_message(error.what()), 1};
  }
}

// Tells what failed and ends all ranks. Others than rank 0 wait for what it has to say: most
// failures are the same everywhere.
void end_ranks(const char* name, const Failure& failure, const Communicator& ranks) {
  constexpr std::chrono::seconds first_word(5);
  if (ranks.rank() > 0) std::this_thread::sleep_for(first_word);
  const std::string rank = "rank " + std::to_string(ranks.rank()) + ": ";
  print_note(name, failure.names_rank ? failure.text : rank + failure.text);
  ranks.abort(failure.status);
}

int run_on(const char* name, const Work& work, const Communicator& ranks) {
  int status = 0;
  const std::optional<Failure> failure = failure_in(work, ranks, status);
  if (!failure) return status;
  if (ranks.size() > 1 && !failure->is_agreed) end_ranks(name, *failure, ranks);
  if (ranks.rank() == 0) print_note(name, failure->text);
  return failure->status;
}

}  // namespace

int run_program(const char* name, char** argv, const Work& work) {
  use_best_blas_kernels(argv);
  // Memory that a step gives back is taken again by the next: do not return it to the system in
  // between, nor map each large piece anew (32 MB is the most that the library takes).
  mallopt(M_TRIM_THRESHOLD, 1 << 28);
  mallopt(M_MMAP_THRESHOLD, 1 << 25);
  // A file that grows beyond a limit is then an error like that of a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    const std::unique_ptr<const Communicator> ranks = launched_ranks();
    return run_on(name, work, *ranks);
  } catch (const std::exception& error) {
    print_note(name, plain_message(error.what()));
    return 2;
  }
}

void print_note(const char* name, const std::string& text) {
  std::fprintf(stderr, "%s: %s\n", name, text.c_str());
}

}  // namespace fjord::apps
