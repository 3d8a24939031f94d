#include "fjord/autodiff/workers.hpp"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
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
// The caller gives up its core sooner: what it waits for may wait for that core.
constexpr int spins_of_caller = 1'000;

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
    call_helpers();
    for (std::thread& helper : helpers) helper.join();
  }

  void run(std::size_t count, const Task& new_task) {
    task = &new_task;
    task_count = count;
    first_failed = count;
    failure = nullptr;
    unfinished.store(count, std::memory_order_relaxed);
    untaken.store(count, std::memory_order_release);
    call_helpers();
    work(0);
    wait_until_finished();
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

  void call_helpers() {
    // One that saw no task before this does not miss the call: it holds the mutex until it sleeps.
    { const std::lock_guard lock(mutex); }
    wake.notify_all();
  }

  bool is_called() const {
    return untaken.load(std::memory_order_acquire) != 0 || stopping.load(std::memory_order_acquire);
  }

  void serve(int worker) {
    while (true) {
      for (int i = 0; i < spins && !is_called(); ++i) relax();
      if (!is_called()) {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return is_called(); });
      }
      if (stopping.load()) return;
      work(worker);
    }
  }

  // Takes the next task if there is one left. A thread that comes late, even from an earlier run(),
  // takes one of those that there are: none can end before it is finished, so what it reads of the
  // run afterwards belongs to it.
  std::optional<std::size_t> take() {
    std::size_t left = untaken.load(std::memory_order_acquire);
    while (left != 0) {
      if (untaken.compare_exchange_weak(left, left - 1, std::memory_order_acq_rel,
                                        std::memory_order_acquire))
        return task_count - left;
    }
    return std::nullopt;
  }

  void work(int worker) {
    while (const std::optional<std::size_t> i = take()) {
      try {
        (*task)(worker, *i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (*i < first_failed) {
          first_failed = *i;
          failure = std::current_exception();
        }
      }
      unfinished.fetch_sub(1, std::memory_order_acq_rel);
    }
  }

  // Helpers that took no task are not waited for: on a busy machine they may not run for long.
  void wait_until_finished() const {
    const auto waits = [this] { return unfinished.load(std::memory_order_acquire) != 0; };
    for (int i = 0; i < spins_of_caller && waits(); ++i) relax();
    while (waits()) std::this_thread::yield();
  }

  std::mutex mutex;
  std::condition_variable wake;
  std::atomic<bool> stopping = false;
  std::atomic<std::size_t> untaken = 0;
  std::atomic<std::size_t> unfinished = 0;
  const Task* task = nullptr;
  std::size_t task_count = 0;
  std::size_t first_failed = 0;
  std::exception_ptr failure;
  std::vector<std::thread> helpers;  // the last member: they use the others from their start
};

Workers::Workers(int threads, const Communicator& communicator) : communicator_(communicator) {
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
