#include "fjord/autodiff/workers.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"

namespace fjord {
namespace {

TEST_CASE("workers: every task runs once, whatever the numbers of tasks and threads") {
  for (const int threads : {1, 2, 3, 8}) {
    Workers workers(threads);
    CHECK(workers.threads() == threads);
    for (const std::size_t count : {0U, 1U, 2U, 7U, 500U}) {
      CAPTURE(threads);
      CAPTURE(count);
      std::vector<int> runs(count, 0);
      std::vector<int> workers_of(count, -1);
      workers.run(count, [&](int worker, std::size_t i) {
        ++runs[i];
        workers_of[i] = worker;
      });
      CHECK(runs == std::vector<int>(count, 1));
      for (const int worker : workers_of) {
        CHECK(worker >= 0);
        CHECK(worker < threads);
      }
    }
  }
}

// Runs `count` tasks on 16 threads where the system allows this user 6 processes; true if each ran.
bool runs_where_threads_are_refused(std::size_t count) {
  const rlimit few{6, 6};
  if (setrlimit(RLIMIT_NPROC, &few) != 0) return false;
  // The limit does not hold for root.
  if (geteuid() == 0 && setuid(65534) != 0) return false;
  Workers workers(16);
  std::vector<std::atomic<int>> runs(count);
  workers.run(count, [&](int worker, std::size_t i) { runs[i] += worker < workers.threads(); });
  const bool each_ran = std::all_of(runs.begin(), runs.end(), [](int n) { return n == 1; });
  return each_ran && workers.threads() >= 1 && workers.threads() < 16;
}

TEST_CASE("workers: threads that the system refuses are done without") {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    alarm(20);
    _exit(runs_where_threads_are_refused(100) ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("workers: no two tasks run on one worker at once") {
  Workers workers(3);
  std::vector<std::atomic<int>> busy(3);
  std::atomic<int> clashes = 0;
  workers.run(300, [&](int worker, std::size_t) {
    auto& mine = busy[static_cast<std::size_t>(worker)];
    if (mine.fetch_add(1) != 0) ++clashes;
    mine.fetch_sub(1);
  });
  CHECK(clashes == 0);
}

TEST_CASE("workers: run returns when all tasks have ended, and what they wrote can be read") {
  Workers workers(2);
  for (int round = 0; round < 2000; ++round) {
    std::vector<double> squares(5);
    workers.run(squares.size(), [&](int, std::size_t i) {
      squares[i] = static_cast<double>(round) * static_cast<double>(i);
    });
    for (std::size_t i = 0; i < squares.size(); ++i) {
      REQUIRE(squares[i] == static_cast<double>(round) * static_cast<double>(i));
    }
  }
}

TEST_CASE("workers: helpers that went to sleep are woken") {
  Workers workers(2);
  for (int round = 0; round < 20; ++round) {
    // Two tasks that wait for each other need two threads that are awake.
    std::atomic<int> arrived = 0;
    workers.run(2, [&](int, std::size_t) {
      ++arrived;
      while (arrived < 2) std::this_thread::yield();
    });
    CHECK(arrived == 2);
    // Work of the caller alone, far longer than a helper looks for a new round before it sleeps.
    double sum = 0;
    for (int i = 1; i < 200'000; ++i) sum += std::sin(i);
    CHECK(std::isfinite(sum));
  }
}

TEST_CASE("workers: the exception of the lowest task is thrown, after all tasks have ended") {
  for (const int threads : {1, 3}) {
    Workers workers(threads);
    std::atomic<int> ended = 0;
    const auto task = [&](int, std::size_t i) {
      ++ended;
      if (i % 10 == 4) throw std::runtime_error("task " + std::to_string(i));
    };
    CHECK_THROWS_WITH_AS(workers.run(100, task), "task 4", std::runtime_error);
    CHECK(ended == 100);
    ended = 0;
    workers.run(4, task);
    CHECK(ended == 4);
  }
}

TEST_CASE("workers: a number of threads that is not positive is refused") {
  CHECK_THROWS_WITH_AS(Workers(0), "[workers] at least one thread is needed, got 0",
                       std::invalid_argument);
  CHECK_THROWS_AS(Workers(-1), std::invalid_argument);
}

TEST_CASE("workers: two tapes in two threads do not disturb each other") {
  // d/dx of 50 nested sines is the product of the cosines along the way.
  const auto slope = [](double x) {
    double product = 1;
    for (int i = 0; i < 50; ++i) {
      product *= std::cos(x);
      x = std::sin(x);
    }
    return product;
  };
  const auto work = [&](double start, double* worst) {
    Tape<double> tape;
    for (int round = 0; round < 200; ++round) {
      const double x = start + 0.01 * round;
      tape.clear();
      const auto nested = [](const Var<double>& v) {
        Var<double> y = v;
        for (int i = 0; i < 50; ++i) y = sin(y);
        return y;
      };
      const double error = gradient(nested, tape.scalar(x)).item() - slope(x);
      *worst = std::max(*worst, std::abs(error));
    }
  };
  double first = 0;
  double second = 0;
  std::thread other(work, -1.0, &first);
  work(0.5, &second);
  other.join();
  CHECK(first < 1e-14);
  CHECK(second < 1e-14);
}

}  // namespace
}  // namespace fjord
