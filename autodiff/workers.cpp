#include "fjord/autodiff/workers.hpp"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "fjord/autodiff/errors.hpp"

namespace fjord {
namespace {

// Waking a sleeping thread costs some 60 us, as much as a tenth of a training step: look that long
// before sleeping.
constexpr int spins = 20'000;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

struct Workers::Pool {
  using Task = std::function<void(int, std::size_t)>;

  explicit Pool(int count) : helpers(start(count - 1)) {}

  ~Pool() {
    stopping.store(true);
    start_round();
    for (std::thread& helper : helpers) helper.join();
  }

  void run(std::size_t count, const Task& new_task) {
    task = &new_task;
    task_count = count;
    next.store(0);
    first_failed = count;
    failure = nullptr;
    working.store(threads() - 1);
    start_round();
    work(0);
    while (working.load(std::memory_order_acquire) != 0) relax();
    if (failure) std::rethrow_exception(failure);
  }

  int threads() const { return 1 + static_cast<int>(helpers.size()); }

  // As many helpers as the system allows.
  std::vector<std::thread> start(int count) {
    std::vector<std::thread> started;
    started.reserve(static_cast<std::size_t>(count));
    try {
      for (int worker = 1; worker <= count; ++worker)
        started.emplace_back([this, worker] { serve(worker); });
    } catch (const std::system_error&) {
      // The threads that there are do the work.
    }
    return started;
  }

  void start_round() {
    {
      const std::lock_guard lock(mutex);
      round.fetch_add(1, std::memory_order_release);
    }
    wake.notify_all();
  }

  void serve(int worker) {
    for (unsigned seen = 0; !stopping.load();) {
      for (int i = 0; i < spins && round.load(std::memory_order_acquire) == seen; ++i) relax();
      if (round.load(std::memory_order_acquire) == seen) {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return round.load() != seen; });
      }
      ++seen;
      if (stopping.load()) return;
      work(worker);
      working.fetch_sub(1, std::memory_order_release);
    }
  }

  void work(int worker) {
    for (std::size_t i = next.fetch_add(1); i < task_count; i = next.fetch_add(1)) {
      try {
        (*task)(worker, i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (i < first_failed) {
          first_failed = i;
          failure = std::current_exception();
        }
      }
    }
  }

  std::mutex mutex;
  std::condition_variable wake;
  std::atomic<unsigned> round = 0;
  std::atomic<bool> stopping = false;
  std::atomic<int> working = 0;
  std::atomic<std::size_t> next = 0;
  const Task* task = nullptr;
  std::size_t task_count = 0;
  std::size_t first_failed = 0;
  std::exception_ptr failure;
  std::vector<std::thread> helpers;  // the last member: they use the others from their start
};

Workers::Workers(int threads) {
  require(threads > 0, "workers",
          [&] { return "at least one thread is needed, got " + std::to_string(threads); });
  pool_ = std::make_unique<Pool>(threads);
}

Workers::~Workers() = default;

int Workers::threads() const {
  return pool_->threads();
}

void Workers::run(std::size_t count, const std::function<void(int, std::size_t)>& task) {
  pool_->run(count, task);
}

}  // namespace fjord
