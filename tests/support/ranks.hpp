/// Ranks that are threads of this process.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fjord/autodiff/communicator.hpp"

namespace fjord::test {

/// What ranks have sent to each other and not yet received, and counts of all of it.
class Mail final {
 public:
  void put(int from, int to, std::string_view message) {
    {
      const std::lock_guard lock(mutex_);
      boxes_[{from, to}].emplace_back(message);
      ++messages_;
      bytes_ += message.size();
    }
    arrived_.notify_all();
  }

  std::string take(int from, int to) {
    std::unique_lock lock(mutex_);
    std::deque<std::string>& box = boxes_[{from, to}];
    arrived_.wait(lock, [&] { return !box.empty(); });
    std::string message = std::move(box.front());
    box.pop_front();
    return message;
  }

  std::size_t messages() const { return messages_; }

  std::size_t bytes() const { return bytes_; }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<std::pair<int, int>, std::deque<std::string>> boxes_;
  std::atomic<std::size_t> messages_ = 0;
  std::atomic<std::size_t> bytes_ = 0;
};

class ThreadRank final : public Communicator {
 public:
  ThreadRank(int rank, int size, Mail& mail) : rank_(rank), size_(size), mail_(mail) {}

  int rank() const override { return rank_; }

  int size() const override { return size_; }

  void send(int to, std::string_view message) const override { mail_.put(rank_, to, message); }

  void receive(int from, std::string& message) const override { message = mail_.take(from, rank_); }

 private:
  int rank_;
  int size_;
  Mail& mail_;
};

/// Runs an action on every rank; what it throws, by rank.
inline std::vector<std::exception_ptr> failures_of_ranks(
    int size, const std::function<void(const Communicator&)>& action, Mail& mail) {
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(size));
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        action(ThreadRank(rank, size, mail));
      } catch (...) {
        failures[static_cast<std::size_t>(rank)] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return failures;
}

inline std::vector<std::exception_ptr> failures_of_ranks(
    int size, const std::function<void(const Communicator&)>& action) {
  Mail mail;
  return failures_of_ranks(size, action, mail);
}

/// Runs an action, which must not throw, on every rank.
inline void run_ranks(int size, const std::function<void(const Communicator&)>& action,
                      Mail& mail) {
  for (const std::exception_ptr& failure : failures_of_ranks(size, action, mail)) {
    if (failure) std::rethrow_exception(failure);
  }
}

inline void run_ranks(int size, const std::function<void(const Communicator&)>& action) {
  Mail mail;
  run_ranks(size, action, mail);
}

}  // namespace fjord::test
