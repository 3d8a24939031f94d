#include "fjord/autodiff/communicator.hpp"

#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>

#include "fjord/autodiff/errors.hpp"

namespace fjord {
namespace {

[[noreturn]] void refuse_rank(int rank) {
  fail("communicator", "there is no rank " + std::to_string(rank) + ": this process is alone");
}

struct FailureHead {
  int rank = 0;
  int count = 1;  // of the ranks that failed in this way
  RankFailure::Kind kind = RankFailure::Kind::other;
};

struct FailureNote {
  FailureHead head;
  std::string text;

  void add(const FailureNote& following) {
    if (following.text == text && following.head.kind == head.kind)
      head.count += following.head.count;
  }
};

// A message's first byte: whether a part or a failure follows.
constexpr char part_mark = 'p';
constexpr char failure_mark = 'f';

std::string message_of(const FailureNote& failure) {
  std::string message(1, failure_mark);
  message.append(reinterpret_cast<const char*>(&failure.head), sizeof(FailureHead));
  return message + failure.text;
}

std::optional<FailureNote> failure_of(std::string_view message) {
  if (message.front() == part_mark) return std::nullopt;
  FailureNote failure;
  std::memcpy(static_cast<void*>(&failure.head), message.data() + 1, sizeof(FailureHead));
  failure.text = message.substr(1 + sizeof(FailureHead));
  return failure;
}

// Runs an action; what it throws, or nothing.
std::optional<FailureNote> failure_in(int rank, const std::function<void()>& action) {
  using Kind = RankFailure::Kind;
  const auto note = [rank](Kind kind, const std::string& text) {
    return FailureNote{{rank, 1, kind}, text};
  };
  try {
    action();
    return std::nullopt;
  } catch (const std::invalid_argument& error) {
    return note(Kind::mistake, error.what());
  } catch (const std::bad_alloc& error) {
    return note(Kind::memory, error.what());
  } catch (const std::exception& error) {
    return note(Kind::other, error.what());
  }
}

[[noreturn]] void throw_failure_of(const FailureNote& failure, int size) {
  throw RankFailure(failure.head.rank, failure.head.count == size, failure.head.kind, failure.text);
}

// The part of a rank on its way, or why there is none.
class Travel final {
 public:
  Travel(int rank, Combination& parts) : rank_(rank), parts_(parts) {}

  void begin() {
    failure_ = failure_in(rank_, [this] { parts_.begin(); });
  }

  void add(std::string_view message) {
    const std::optional<FailureNote> following = failure_of(message);
    if (failure_ && following) return failure_->add(*following);
    if (failure_) return;
    failure_ = following ? following : failure_in(rank_, [&] { parts_.add(message.substr(1)); });
  }

  void write(std::string& message) {
    if (!failure_) {
      failure_ = failure_in(rank_, [&] {
        message.assign(1, part_mark);
        parts_.write(message);
      });
    }
    if (failure_) message = message_of(*failure_);
  }

 private:
  int rank_;
  Combination& parts_;
  std::optional<FailureNote> failure_;
};

// Everything that ranks agree on without a message.
class Action final : public Combination {
 public:
  explicit Action(const std::function<void()>& action) : action_(action) {}

  void begin() override { action_(); }

  void add(std::string_view) override {}

  void write(std::string&) const override {}

 private:
  const std::function<void()>& action_;
};

// The part in a message that has come to all ranks.
std::string_view part_in(std::string_view message, int size) {
  if (const std::optional<FailureNote> failure = failure_of(message))
    throw_failure_of(*failure, size);
  return message.substr(1);
}

}  // namespace

void Communicator::broadcast(std::string& message) const {
  const unsigned own = static_cast<unsigned>(rank());
  const unsigned count = static_cast<unsigned>(size());
  unsigned bit = 1;
  while (bit < count && (own & bit) == 0) bit *= 2;
  if (own != 0) receive(static_cast<int>(own - bit), message);
  for (bit /= 2; bit > 0; bit /= 2) {
    if (own + bit < count) send(static_cast<int>(own + bit), message);
  }
}

void Communicator::abort(int status) const {
  std::_Exit(status);
}

void SingleProcess::send(int to, std::string_view) const {
  refuse_rank(to);
}

void SingleProcess::receive(int from, std::string&) const {
  refuse_rank(from);
}

const Communicator& single_process() {
  static const SingleProcess alone;
  return alone;
}

std::string_view combine(const Communicator& communicator, Combination& parts,
                         std::string& message) {
  const int rank = communicator.rank();
  const int size = communicator.size();
  Travel travel(rank, parts);
  travel.begin();
  for (int bit = 1; bit < size; bit *= 2) {
    if ((rank & bit) != 0) {
      travel.write(message);
      communicator.send(rank - bit, message);
      break;
    }
    if (rank + bit >= size) continue;
    communicator.receive(rank + bit, message);
    travel.add(message);
  }
  if (rank == 0) travel.write(message);
  communicator.broadcast(message);
  return part_in(message, size);
}

void agree(const Communicator& communicator, const std::function<void()>& action) {
  if (communicator.size() == 1) return action();
  Action parts(action);
  std::string message;
  combine(communicator, parts, message);
}

std::string from_first_rank(const Communicator& communicator,
                            const std::function<std::string()>& action) {
  if (communicator.size() == 1) return action();
  std::string message;
  if (communicator.rank() == 0) {
    const auto failure = failure_in(0, [&] { message = part_mark + action(); });
    if (failure) message = message_of(*failure);
  }
  communicator.broadcast(message);
  return std::string(part_in(message, communicator.size()));
}

Share share_of(std::size_t count, const Communicator& communicator) {
  const auto rank = static_cast<std::size_t>(communicator.rank());
  const auto size = static_cast<std::size_t>(communicator.size());
  const auto first_of = [&](std::size_t r) {
    return r * (count / size) + r * (count % size) / size;
  };
  return {first_of(rank), first_of(rank + 1)};
}

}  // namespace fjord
