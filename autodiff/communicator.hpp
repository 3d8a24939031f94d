/// Processes that share a computation: who takes part, and what they tell each other.
#pragma once

#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fjord {

/// The processes of a computation, numbered from 0: their ranks.
///
/// All ranks make the same calls of what is built on this in the same order, from one thread each.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;  ///< of this process, in [0, size())
  virtual int size() const = 0;  ///< > 0

  /// Sends a message to another rank; it may wait until that receives it.
  virtual void send(int to, std::string_view message) const = 0;
  /// Waits for the next message of another rank.
  virtual void receive(int from, std::string& message) const = 0;
  /// Gives every rank the message of rank 0: along a binomial tree, unless there is a better way.
  virtual void broadcast(std::string& message) const;
  /// Ends the processes of all ranks at once.
  [[noreturn]] virtual void abort(int status) const;

 protected:
  Communicator() = default;
  Communicator(const Communicator&) = default;
  Communicator& operator=(const Communicator&) = default;
};

/// This process alone.
class SingleProcess final : public Communicator {
 public:
  int rank() const override { return 0; }

  int size() const override { return 1; }

  /// Errors:  std::invalid_argument: there is no other rank.
  void send(int to, std::string_view message) const override;
  void receive(int from, std::string& message) const override;
};

const Communicator& single_process();

/// What failed on a rank, as all ranks learn of it.
class RankFailure final : public std::runtime_error {
 public:
  /// How the failure was thrown: as a caller's mistake (std::invalid_argument), as std::bad_alloc,
  /// or as anything else.
  enum class Kind : char { mistake, memory, other };

  RankFailure(int rank, bool is_everywhere, Kind kind, const std::string& text)
      : std::runtime_error(text), rank_(rank), is_everywhere_(is_everywhere), kind_(kind) {}

  int rank() const { return rank_; }  ///< the lowest that failed

  bool is_everywhere() const { return is_everywhere_; }  ///< whether all ranks failed in this way

  Kind kind() const { return kind_; }

 private:
  int rank_;
  bool is_everywhere_;
  Kind kind_;
};

/// What ranks combine: each has a part, and parts are joined in the order of the ranks.
class Combination {
 public:
  virtual ~Combination() = default;

  virtual void begin() = 0;  ///< makes the part of this rank
  /// Joins the message of the ranks that follow those of this part.
  virtual void add(std::string_view following) = 0;
  virtual void write(std::string& message) const = 0;  ///< appends the part to the message

 protected:
  Combination() = default;
  Combination(const Combination&) = default;
  Combination& operator=(const Combination&) = default;
};

/// Gives every rank the message of all parts: along a binomial tree to rank 0, and back to all.
/// `message` is the memory of what is returned, kept from call to call.
///
/// Errors:  RankFailure on every rank if anything is thrown on one.
std::string_view combine(const Communicator& communicator, Combination& parts,
                         std::string& message);

/// Runs an action on every rank, and goes on once all have done it.
///
/// Errors:  RankFailure on every rank if anything is thrown on one; what the action throws, if it
///          is the only rank.
void agree(const Communicator& communicator, const std::function<void()>& action);

/// Runs an action on rank 0, and gives every rank what it returns; errors as agree().
std::string from_first_rank(const Communicator& communicator,
                            const std::function<std::string()>& action);

/// A range of numbered things.
struct Share {
  std::size_t first = 0;
  std::size_t last = 0;  ///< the one after it

  friend bool operator==(const Share&, const Share&) = default;
};

/// The things of a rank: all are dealt in their order, as evenly as can be.
Share share_of(std::size_t count, const Communicator& communicator);

}  // namespace fjord
