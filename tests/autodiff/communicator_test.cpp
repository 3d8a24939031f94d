#include "fjord/autodiff/communicator.hpp"

#include <new>
#include <stdexcept>

#include <doctest/doctest.h>

#include "fjord/tests/support/ranks.hpp"

namespace fjord {
namespace {

using test::failures_of_ranks;
using test::run_ranks;

using Texts = std::vector<std::string>;

std::size_t place(const Communicator& c) {
  return static_cast<std::size_t>(c.rank());
}

// Each rank writes its number; the message of all has them in order.
class Numbers final : public Combination {
 public:
  explicit Numbers(int rank) : text_(std::to_string(rank) + " ") {}

  void begin() override {}

  void add(std::string_view following) override { text_ += following; }

  void write(std::string& message) const override { message += text_; }

 private:
  std::string text_;
};

TEST_CASE("communicator: parts are joined in the order of the ranks, and all ranks get them") {
  std::string expected;
  for (int size = 1; size <= 17; ++size) {
    CAPTURE(size);
    expected += std::to_string(size - 1) + " ";
    Texts got(static_cast<std::size_t>(size));
    run_ranks(size, [&](const Communicator& c) {
      Numbers parts(c.rank());
      std::string message;
      got[place(c)] = combine(c, parts, message);
    });
    CHECK(got == Texts(got.size(), expected));
  }
}

TEST_CASE("communicator: a message of rank 0 comes to all, and what it throws as well") {
  for (int size = 1; size <= 9; ++size) {
    CAPTURE(size);
    Texts got(static_cast<std::size_t>(size));
    run_ranks(size, [&](const Communicator& c) {
      got[place(c)] = from_first_rank(c, [&] { return "from " + std::to_string(c.rank()); });
    });
    CHECK(got == Texts(got.size(), "from 0"));
    const auto failures = failures_of_ranks(size, [](const Communicator& c) {
      from_first_rank(c, []() -> std::string { throw std::invalid_argument("no file"); });
    });
    for (const std::exception_ptr& failure : failures)
      CHECK_THROWS_WITH(std::rethrow_exception(failure), "no file");
  }
}

template <class Failure>
void fail_on(int rank, const Communicator& c, const Failure& failure) {
  agree(c, [&] {
    if (c.rank() >= rank) throw failure;
  });
}

TEST_CASE("communicator: all ranks learn which was the lowest to fail, and why") {
  for (int size = 2; size <= 9; ++size) {
    for (int bad = 0; bad < size; ++bad) {
      CAPTURE(size);
      CAPTURE(bad);
      const auto failures = failures_of_ranks(size, [&](const Communicator& c) {
        fail_on(bad, c, std::runtime_error("the disk of " + std::to_string(c.rank())));
      });
      for (const std::exception_ptr& failure : failures) {
        REQUIRE(failure);
        try {
          std::rethrow_exception(failure);
        } catch (const RankFailure& error) {
          CHECK(error.rank() == bad);
          CHECK(error.what() == "the disk of " + std::to_string(bad));
          CHECK(error.kind() == RankFailure::Kind::other);
          CHECK_FALSE(error.is_everywhere());
        }
      }
    }
  }
}

TEST_CASE("communicator: a failure tells its kind, and whether it is everywhere") {
  const auto failure_at = [](int first_bad, const auto& failure) {
    const auto failures =
        failures_of_ranks(5, [&](const Communicator& c) { fail_on(first_bad, c, failure); });
    try {
      std::rethrow_exception(failures[3]);
    } catch (const RankFailure& error) {
      return error;
    }
  };
  CHECK(failure_at(0, std::invalid_argument("option")).is_everywhere());
  CHECK_FALSE(failure_at(1, std::invalid_argument("option")).is_everywhere());
  CHECK(failure_at(2, std::invalid_argument("option")).kind() == RankFailure::Kind::mistake);
  CHECK(failure_at(4, std::bad_alloc()).kind() == RankFailure::Kind::memory);
}

TEST_CASE("communicator: shares are a partition, in order and even") {
  for (int size = 1; size <= 16; ++size) {
    for (const std::size_t count : {0U, 1U, 7U, 16U, 100U, 1'000'003U}) {
      std::vector<Share> shares(static_cast<std::size_t>(size));
      run_ranks(size, [&](const Communicator& c) { shares[place(c)] = share_of(count, c); });
      std::size_t next = 0;
      for (const Share& share : shares) {
        CHECK(share.first == next);
        next = share.last;
        const std::size_t own = share.last - share.first;
        CHECK(own >= count / shares.size());
        CHECK(own <= (count + shares.size() - 1) / shares.size());
      }
      CHECK(next == count);
    }
  }
}

TEST_CASE("communicator: a process alone agrees with itself") {
  CHECK(single_process().size() == 1);
  CHECK_THROWS_AS(agree(single_process(), [] { throw std::range_error("own"); }), std::range_error);
  std::string message;
  CHECK_THROWS_WITH_AS(single_process().receive(1, message),
                       doctest::Contains("there is no rank 1"), std::invalid_argument);
}

}  // namespace
}  // namespace fjord
