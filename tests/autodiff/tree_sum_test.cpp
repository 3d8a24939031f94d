#include "fjord/autodiff/tree_sum.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/communicator.hpp"
#include "fjord/tests/support/ranks.hpp"

namespace fjord {
namespace {

constexpr std::size_t width = 5;

// Numbers whose sums round, so that another order gives other bits.
float term(std::size_t number, std::size_t k) {
  return static_cast<float>(std::sin(static_cast<double>(number * width + k + 1)) *
                            std::pow(10.0, static_cast<double>(number % 5)));
}

// By the definition: a node of `span` terms, of which those beyond the last are not there.
float node(std::size_t first, std::size_t span, std::size_t terms, std::size_t k) {
  if (span == 1) return term(first, k);
  const float left = node(first, span / 2, terms, k);
  const std::size_t middle = first + span / 2;
  return middle < terms ? left + node(middle, span / 2, terms, k) : left;
}

float expected(std::size_t terms, std::size_t k) {
  std::size_t span = 1;
  while (span < terms) span *= 2;
  return node(0, span, terms, k);
}

// The terms of a rank.
class Terms final : public Combination {
 public:
  Terms(std::size_t terms, const Communicator& c) : terms_(terms), share_(share_of(terms, c)) {}

  void begin() override {
    sum_.reset(terms_);
    values_.resize(share_.last - share_.first);
    numbers_.resize(values_.size());
    for (std::size_t i = share_.first; i < share_.last; ++i) {
      std::vector<float>& values = values_[i - share_.first];
      for (std::size_t k = 0; k < width; ++k) values.push_back(term(i, k));
      std::vector<double>& numbers = numbers_[i - share_.first];
      numbers = {static_cast<double>(i), 1};
      sum_.push({i, i + 1, values, numbers});
    }
  }

  void add(std::string_view following) override { sum_.push_written(following); }

  void write(std::string& message) const override { sum_.write(message); }

  TreeSum<float>& sum() { return sum_; }

 private:
  std::size_t terms_;
  Share share_;
  TreeSum<float> sum_;
  std::vector<std::vector<float>> values_;
  std::vector<std::vector<double>> numbers_;
};

TEST_CASE("tree_sum: the bits are those of the tree, for every number of ranks") {
  for (int size = 1; size <= 16; ++size) {
    for (std::size_t terms = 1; terms <= 40; terms += terms < 9 ? 1 : 5) {
      CAPTURE(size);
      CAPTURE(terms);
      std::vector<bool> right(static_cast<std::size_t>(size));
      std::mutex mutex;
      test::run_ranks(size, [&](const Communicator& c) {
        Terms parts(terms, c);
        std::string message;
        const std::string_view all = combine(c, parts, message);
        TreeSum<float>& sum = parts.sum();
        sum.reset(terms);
        sum.push_written(all);
        bool same = sum.nodes().size() == 1;
        for (std::size_t k = 0; k < width; ++k)
          same &= sum.nodes()[0].values[k] == expected(terms, k);
        const auto count = static_cast<double>(terms);
        same &= sum.nodes()[0].numbers[0] == count * (count - 1) / 2;
        same &= sum.nodes()[0].numbers[1] == count;
        const std::lock_guard lock(mutex);
        right[static_cast<std::size_t>(c.rank())] = same;
      });
      for (const bool same : right) CHECK(same);
    }
  }
}

TEST_CASE("tree_sum: ranks whose number divides that of the terms send one node each") {
  for (const std::size_t size : {2U, 4U, 8U, 16U}) {
    test::Mail mail;
    test::run_ranks(
        static_cast<int>(size),
        [&](const Communicator& c) {
          Terms parts(16, c);
          std::string message;
          combine(c, parts, message);
        },
        mail);
    // Every rank but the first sends its own and gets that of all: the numbers, a head of four
    // counts, and a mark.
    const std::size_t bytes = width * sizeof(float) + 2 * sizeof(double) + 32 + 1;
    CHECK(mail.messages() == 2 * (size - 1));
    CHECK(mail.bytes() == 2 * (size - 1) * bytes);
  }
}

TEST_CASE("tree_sum: terms that do not fit are refused") {
  TreeSum<double> sum;
  std::vector<double> values{1, 2};
  std::vector<double> others{1};
  sum.reset(8);
  sum.push({0, 1, values, others});
  CHECK_THROWS_WITH_AS(sum.push({2, 3, values, others}), doctest::Contains("follow"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(sum.push({1, 2, others, others}), doctest::Contains("as many numbers"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(sum.push_written("short"), doctest::Contains("cut short"),
                       std::invalid_argument);
}

}  // namespace
}  // namespace fjord
