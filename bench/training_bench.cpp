// Prints the demo's training step beside its references, timed in this run: see bench/run.sh.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cblas.h>

#include "fjord/autodiff/blas.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/bench/fused_kernel.hpp"
#include "fjord/bench/timing.hpp"
#include "fjord/bench/trained_flow.hpp"
#include "fjord/flows/toys/moons.hpp"

namespace {

using namespace fjord;
using bench::batch;
using bench::shortest_seconds;
using bench::TrainedFlow;

constexpr int rounds = 30;
constexpr int demo_rounds = 5;

double fused_seconds_an_evaluation(int steps_per_block) {
  bench::FusedStep fused(batch, steps_per_block);
  std::vector<float> weights(std::size_t{4} * 130);
  RandomKey(3).normal(std::span<float>(weights));
  for (float& w : weights) w *= 0.3F;
  const Tensor<float> x = flows::make_moons(batch, 0.06, RandomKey(4)).as<float>();
  std::vector<float> gradient(weights.size());
  const double seconds = shortest_seconds(60, [&] { fused(weights, x.storage(), gradient); });
  return seconds / static_cast<double>(fused.evaluations());
}

double sgemm_flops() {
  const std::vector<float> a(std::size_t{256} * 64, 1.0F);
  const std::vector<float> b(std::size_t{64} * 64, 0.5F);
  std::vector<float> c(std::size_t{256} * 64);
  constexpr int repeats = 100;
  const double seconds = shortest_seconds(5, [&] {
    for (int i = 0; i < repeats; ++i) {
      cblas_sgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, 256, 64, 64, 1.0F, a.data(), 256,
                  b.data(), 64, 0.0F, c.data(), 256);
    }
  });
  return 2.0 * 256 * 64 * 64 * repeats / seconds;
}

// Multiplications and additions in the matrix products of one evaluation with its gradient, for one
// row: three rows (z and two tangents) through three layers, forward, to the weights and to the
// inputs; the inputs of the first layer's tangents are constants.
double product_flops(double width) {
  const double first = 4 * width;
  const double middle = width * width;
  const double last = width * 2;
  const double forward = 3 * (first + middle + last);
  const double to_inputs = first + 3 * (middle + last);
  return 2 * (2 * forward + to_inputs);
}

struct ProgramRun {
  double seconds;  // of training, without the picture
  double peak_megabytes;
};

ProgramRun run_demo(const std::string& moons, const std::string& threads, const std::string& out) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    std::freopen("/dev/null", "w", stdout);
    std::freopen("/dev/null", "w", stderr);
    execl(moons.c_str(), moons.c_str(), "train", "--threads", threads.c_str(), "--out", out.c_str(),
          nullptr);
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  if (status != 0) std::exit(1);
  const std::string metrics = read_file(out + "/metrics.jsonl");
  const std::string key = "\"seconds\":";
  const double seconds = std::stod(metrics.substr(metrics.rfind(key) + key.size()));
  return {seconds, static_cast<double>(usage.ru_maxrss) / 1024};
}

void print_blas() {
  const BlasReport blas = blas_report();
  std::printf("processor %s, BLAS %s, core %s\n", blas.processor.c_str(), blas.library.c_str(),
              blas.core.c_str());
  if (!blas.better_core.empty()) {
    std::printf("BLAS kernels are weaker than the processor: set OPENBLAS_CORETYPE=%s\n",
                blas.better_core.c_str());
  }
}

struct NarrowSeconds {
  double step;              // of training, on one thread
  double fused_evaluation;  // by the hand-fused kernel
};

NarrowSeconds print_narrow_step(TrainedFlow& narrow) {
  TrainedFlow::Cost tape = narrow.cost(1);
  const int steps_per_block =
      std::max(1, static_cast<int>(std::lround((tape.evaluations / 4 - 1) / 6)));
  double fused = 1e300;
  // By turns, as a shared machine has slow and fast seconds.
  for (int round = 0; round < rounds; ++round) {
    tape.seconds = std::min(tape.seconds, narrow.cost(20).seconds);
    fused = std::min(fused, fused_seconds_an_evaluation(steps_per_block));
  }
  const double ours = tape.seconds / tape.evaluations;
  std::printf("training step, width 8, one thread: %.2f us an evaluation (%.0f a step, %.3f ms)\n",
              ours * 1e6, tape.evaluations, tape.seconds * 1e3);
  std::printf("  hand-fused kernel:                %.2f us an evaluation; ratio %.2f\n",
              fused * 1e6, ours / fused);
  return {tape.seconds, fused};
}

void print_wide_step() {
  TrainedFlow wide(64, 1, 96);
  TrainedFlow::Cost tape = wide.cost(1);
  double peak = 0;
  for (int round = 0; round < rounds; ++round) {
    tape.seconds = std::min(tape.seconds, wide.cost(2).seconds);
    peak = std::max(peak, sgemm_flops());
  }
  const double rate = product_flops(64) * batch * tape.evaluations / tape.seconds;
  std::printf(
      "training step, width 64, one thread: %.1f us an evaluation, %.1f GFLOP/s in products\n",
      tape.seconds / tape.evaluations * 1e6, rate * 1e-9);
  std::printf("  sgemm 256x64 . 64x64:              %.1f GFLOP/s; share %.0f %%\n", peak * 1e-9,
              100 * rate / peak);
}

// `one_thread`: the shortest step of `narrow` so far.
void print_two_threads(TrainedFlow& narrow, double one_thread) {
  TrainedFlow two(8, 2, 320);
  double two_threads = 1e300;
  // For longer than the seconds in which the second core of a shared machine is slow.
  for (int round = 0; round < 6 * rounds; ++round) {
    one_thread = std::min(one_thread, narrow.cost(10).seconds);
    two_threads = std::min(two_threads, two.cost(20).seconds);
  }
  std::printf("two threads against one: %.2f times\n", one_thread / two_threads);
}

void print_demo(const std::string& moons, double fused_evaluation) {
  const std::string out =
      std::filesystem::temp_directory_path() / ("fjord_bench_" + std::to_string(getpid()));
  for (const char* threads : {"1", "2"}) {
    ProgramRun best = run_demo(moons, threads, out);
    for (int round = 1; round < demo_rounds; ++round)
      best.seconds = std::min(best.seconds, run_demo(moons, threads, out).seconds);
    std::printf(
        "demo, 40 epochs, %s thread(s): %.2f s, %.2f s were the kernel's evaluation 10 us; peak "
        "memory %.0f MB\n",
        threads, best.seconds, best.seconds * 10e-6 / fused_evaluation, best.peak_megabytes);
  }
  std::filesystem::remove_all(out);
}

}  // namespace

int main(int argc, char** argv) {
  print_blas();
  TrainedFlow narrow(8, 1, 320);
  const NarrowSeconds seconds = print_narrow_step(narrow);
  print_wide_step();
  print_two_threads(narrow, seconds.step);
  if (argc > 1) print_demo(argv[1], seconds.fused_evaluation);
}
