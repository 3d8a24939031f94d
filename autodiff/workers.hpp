/// Who computes: a pool of threads for the shards of a batch, and the other processes, if any.
#pragma once

#include <functional>
#include <memory>

#include "fjord/autodiff/communicator.hpp"

namespace fjord {

/// Runs numbered tasks on a fixed number of threads, the caller's among them.
///
/// Those who spread shards also deal them to the ranks of its communicator, each of which has a
/// pool of its own.
/// Note:    Which thread takes which task is left open: a result that must not depend on it is kept
///          by task.
class Workers final {
 public:
  /// Errors:  std::invalid_argument if `threads` is not positive.
  /// Note:    The communicator must outlive it. Where the system refuses a thread, the pool has
  ///          those that were started before.
  explicit Workers(int threads, const Communicator& communicator = single_process());
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// The number of threads that run, the caller's among them: at most as many as asked for.
  int threads() const;

  const Communicator& communicator() const { return communicator_; }

  /// Calls task(worker, i) once for every i in [0, count), worker in [0, threads()), and waits for
  /// all.
  ///
  /// Errors:  the exception of the lowest i among the tasks that threw, after all have ended.
  void run(std::size_t count, const std::function<void(int worker, std::size_t i)>& task);

 private:
  struct Pool;
  const Communicator& communicator_;
  std::unique_ptr<Pool> pool_;
};

}  // namespace fjord
