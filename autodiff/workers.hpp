/// A pool of threads for the shards of a batch.
#pragma once

#include <functional>
#include <memory>

namespace fjord {

/// Runs numbered tasks on a fixed number of threads, the caller's among them.
///
/// Note:    Which thread takes which task is left open: a result that must not depend on it is kept
///          by task.
class Workers final {
 public:
  /// Errors:  std::invalid_argument if `threads` is not positive.
  /// Note:    Where the system refuses a thread, the pool has those that were started before.
  explicit Workers(int threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// The number of threads that run, the caller's among them: at most as many as asked for.
  int threads() const;
  /// Calls task(worker, i) once for every i in [0, count), worker in [0, threads()), and waits for
  /// all.
  ///
  /// Errors:  the exception of the lowest i among the tasks that threw, after all have ended.
  void run(std::size_t count, const std::function<void(int worker, std::size_t i)>& task);

 private:
  struct Pool;
  std::unique_ptr<Pool> pool_;
};

}  // namespace fjord
