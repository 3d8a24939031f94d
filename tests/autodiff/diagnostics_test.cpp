#include "fjord/autodiff/diagnostics.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>

#include <doctest/doctest.h>

#include "fjord/autodiff/checkpoint.hpp"
#include "fjord/autodiff/custom.hpp"
#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/ops/activation.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"

namespace fjord {
namespace {

using Number = Var<double>;
constexpr double inf = std::numeric_limits<double>::infinity();

// A clock that advances by one second with every look at it.
double ticks() {
  static thread_local double now = 0;
  return ++now;
}

const OperationSummary& line_of(const TapeSummary& summary, const std::string& name) {
  for (const OperationSummary& line : summary.operations) {
    if (line.name == name) return line;
  }
  throw std::out_of_range(name);
}

TEST_CASE("diagnostics: the first value that is not finite is named when the next node comes") {
  Tape<double> tape;
  tape.check_finite(true);
  const Number x = label(tape.input({{1, 2, 3}, {4, -5, 6}}), "rates");
  const Number y = label(log(x), "log \"rates\"");
  constexpr const char* message =
      "[log] its value is the first that is not finite: nan at [1, 1] of node 1, shape [2, 3], "
      "\"log \"rates\"\"; from node 0, shape [2, 3], \"rates\"";
  CHECK_THROWS_WITH_AS(exp(y), message, std::range_error);
  CHECK(tape.size() == 2);
  // Once said, it can be looked into.
  CHECK(std::isnan(y.value()(1, 1)));
  CHECK_THROWS_WITH_AS(
      exp(log(x)).value(),
      "[log] its value is the first that is not finite: nan at [1, 1] of node 2, shape [2, 3]; "
      "from node 0, shape [2, 3], \"rates\"",
      std::range_error);
}

TEST_CASE("diagnostics: a value that is not finite is found when it is read, and by a sweep") {
  Tape<double> tape;
  tape.check_finite(true);
  const Number x = tape.scalar(0);
  CHECK_THROWS_WITH_AS(
      log(x).item(),
      "[log] its value is the first that is not finite: -inf at [] of node 1, shape []; "
      "from node 0, shape []",
      std::range_error);
  const Number y = reciprocal(x);
  CHECK_THROWS_WITH_AS(
      gradient_values<double>(y, std::span(&x, 1)),
      "[reciprocal] its value is the first that is not finite: inf at [] of node 2, shape []; "
      "from node 0, shape []",
      std::range_error);
  const Number leaf = tape.input({0, inf});
  CHECK_THROWS_WITH_AS(
      exp(leaf),
      "[leaf] its value is the first that is not finite: inf at [1] of node 3, shape [2]",
      std::range_error);
}

TEST_CASE("diagnostics: the first cotangent that is not finite is named with the rule it is from") {
  Tape<double> tape;
  tape.check_finite(true);
  const Number x = label(tape.input({1, 0}), "x");
  const Number root = label(sqrt(x), "root");
  const Number y = sum(root * 2);
  constexpr const char* message =
      "[sqrt] the cotangent that it, node 1, gives to its input 0 is the first that is not finite: "
      "inf at [1] of node 0, shape [2], \"x\"";
  CHECK_THROWS_WITH_AS(gradient_values<double>(y, std::span(&x, 1)), message, std::range_error);
  // A recorded sweep has it as a value, and says whose rule it comes from.
  try {
    pullback<double>({y}, {tape.scalar(1)}, {x});
    static_cast<void>(tape.scalar(0));
    FAIL("the slope is infinite");
  } catch (const std::range_error& error) {
    const std::string text = error.what();
    CAPTURE(text);
    CHECK(text.find("is the first that is not finite: inf at [1] of node") != std::string::npos);
    CHECK(text.find("; in the rule of sqrt, node 1, shape [2], \"root\"") != std::string::npos);
  }
  const Tensor<double> seed(-inf);
  const std::vector<TensorView<double>> seeds{seed};
  CHECK_THROWS_WITH_AS(
      pullback_values<double>(std::span(&y, 1), seeds, std::span(&x, 1)),
      "[pullback] the cotangent given is the first that is not finite: -inf at [] of node 3, "
      "shape []",
      std::range_error);
  // A weight of 0 does not silence the slope, and a choice does, in every mode: what rules compute
  // on the way to a finite result is not reported.
  const Number weighed = sum(root * tape.input({1, 0}));
  CHECK_THROWS_AS(gradient_values<double>(weighed, std::span(&x, 1)), std::range_error);
  const Number chosen = sum(where(x > 0, root, tape.scalar(0)));
  CHECK(gradient_values<double>(chosen, std::span(&x, 1))[0](1) == 0);
  const Number gradient = pullback<double>({chosen}, {tape.scalar(1)}, {x})[0];
  CHECK(gradient.value()(1) == 0);
  CHECK(pushforward(x, tape.input({1, 1}), chosen).item() == 0.5);
  CHECK(pushforward(x, tape.input({1, 1}), gradient).value()(1) == 0);
  CHECK_NOTHROW(tape.scalar(0));
}

TEST_CASE("diagnostics: unless it is asked for, nothing is checked") {
  Tape<double> tape;
  const Number x = tape.scalar(-1);
  const Number y = log(x);
  CHECK_NOTHROW(exp(y).item());
  tape.check_finite(true);
  CHECK_NOTHROW(exp(x).item());  // what came before is not looked at
  CHECK_THROWS_AS(log(x).item(), std::range_error);
  tape.check_finite(false);
  CHECK_NOTHROW(log(x).item());
  CHECK(std::isnan(gradient_values<double>(exp(y), std::span(&y, 1))[0].item()));
}

TEST_CASE("diagnostics: checks see into checkpoints and own operations, and let finite ones pass") {
  Tape<double> tape;
  tape.check_finite(true);
  const auto difference = [](const Number& v) { return exp(log(v)) * 2; };
  const auto kept = custom("mine", difference,
                           [](const Number&, const Number&, const Number& g) { return g * 2; });
  const auto f = [&](const Number& v) { return sum(tanh(checkpoint(difference, v)) * kept(v)); };
  const Number good = tape.input({1, 2});
  CHECK_NOTHROW(hvp(f, good, good).value());
  const Number value = f(good);
  CHECK_NOTHROW(gradient_values<double>(value, std::span(&good, 1)));
  const Number bad = tape.input({1, -2});
  CHECK_THROWS_AS(checkpoint(difference, bad), std::range_error);
  CHECK_THROWS_AS(kept(bad), std::range_error);
  CHECK_NOTHROW(f(good).value());
}

TEST_CASE("diagnostics: labels belong to nodes, the last one counts, and end with them") {
  Tape<double> tape;
  const Number x = tape.scalar(1);
  const Tape<double>::Mark mark = tape.mark();
  const Number y = label(x + x, "second");
  tape.label(x, "first");
  CHECK(tape.label_at(x.index()) == "first");
  CHECK(tape.label_at(y.index()) == "second");
  tape.label(y, "other");
  CHECK(tape.label_at(y.index()) == "other");
  tape.rewind(mark);
  const Number again = x + x;
  CHECK(again.index() == y.index());
  CHECK(tape.label_at(again.index()).empty());
  CHECK(tape.label_at(x.index()) == "first");
  CHECK_THROWS_WITH_AS(tape.label(y, "ended"),
                       "[label] the handle's node was ended by a rewind; record it again",
                       std::invalid_argument);
}

TEST_CASE("diagnostics: a summary counts operations and the bytes of their values") {
  Tape<double> tape;
  const Number x = tape.input(Tensor<double>::ones({10, 3}));
  const Number y = tanh(x * x) + tanh(x);
  static_cast<void>(sum(y));
  const TapeSummary summary = tape.summary();
  CHECK(line_of(summary, "tanh").count == 2);
  CHECK(line_of(summary, "tanh").bytes == 2 * 2 * 30 * 8);  // with its slope
  CHECK(line_of(summary, "leaf").count == 1);
  CHECK(line_of(summary, "sum").bytes == 8);
  CHECK(summary.count == 6);
  CHECK(summary.bytes == (1 + 1 + 4 + 1) * 240 + 8);
  CHECK(line_of(summary, "tanh").record_seconds == 0);
  CHECK(summary.operations.front().name == "tanh");
  CHECK(summary.peak_bytes == tape.peak_bytes());
  const std::string table = to_string(summary);
  CAPTURE(table);
  CHECK(table.find("\ntanh                                  2            960") !=
        std::string::npos);
  CHECK(table.find("\ntotal                                 6           1688") !=
        std::string::npos);
}

TEST_CASE("diagnostics: a profile adds up the time between nodes, and of rules in sweeps") {
  Tape<double> tape;
  tape.profile(ticks);
  const Number x = tape.scalar(0.5);
  const auto round = [&] {
    const Number y = sin(exp(sin(x)));  // each of the three is settled one tick after it came
    static_cast<void>(y.item());
    // The clock is looked at when a rule starts and when it ends.
    static_cast<void>(gradient_values<double>(y, std::span(&x, 1)));
  };
  for (int i = 0; i < 3; ++i) round();
  tape.profile(nullptr);
  round();
  const TapeSummary summary = tape.summary();
  CHECK(line_of(summary, "sin").record_seconds == 6);
  CHECK(line_of(summary, "exp").record_seconds == 3);
  CHECK(line_of(summary, "sin").sweep_seconds == 6);
  CHECK(line_of(summary, "exp").sweep_seconds == 3);
  CHECK(line_of(summary, "exp").count == 4);
  CHECK(summary.operations.front().name == "sin");
  tape.clear();
  CHECK(line_of(tape.summary(), "exp").count == 0);
  CHECK(line_of(tape.summary(), "exp").record_seconds == 3);
  tape.profile(ticks);
  CHECK(tape.summary().operations.empty());
}

TEST_CASE("diagnostics: the peak is that of the largest recording, not of what was kept for it") {
  Tape<double> tape;
  const auto size_of = [](std::size_t entries) { return 11 * entries * sizeof(double); };
  CHECK(tape.peak_bytes() == 0);
  const auto record_and_clear = [&](Index size) {
    const Number x = tape.input(Tensor<double>::ones({size}));
    Number y = x;
    for (int i = 0; i < 10; ++i) y = sin(y);
    tape.clear();
  };
  record_and_clear(1000);
  const std::size_t small = tape.peak_bytes();
  CHECK(small >= size_of(1000));
  CHECK(small < size_of(1000) * 2);
  record_and_clear(10'000);
  const std::size_t large = tape.peak_bytes();
  CHECK(large >= size_of(10'000));
  CHECK(large < size_of(10'000) * 2);
  record_and_clear(1000);
  CHECK(tape.peak_bytes() == large);
  CHECK(large <= tape.capacity());
}

TEST_CASE("diagnostics: a picture shows what the outputs depend on, and nothing else") {
  Tape<double> tape;
  const Number x = label(tape.input({{1, 2}}), "a \"b\"\\");
  const Number unused = cos(x);
  const Number y = tanh(x);
  const Number z = label(sum(y * x), "loss");
  static_cast<void>(exp(z));
  CHECK(graphviz(z) ==
        "digraph tape {\n"
        "  node [shape=box];\n"
        "  n0 [label=\"leaf 0\\n[1, 2]\\na \\\"b\\\"\\\\\"];\n"
        "  n2 [label=\"tanh 2\\n[1, 2] [1, 2]\"];\n"
        "  n4 [label=\"multiply 4\\n[1, 2]\"];\n"
        "  n5 [label=\"sum 5\\n[]\\nloss\", peripheries=2];\n"
        "  n0 -> n2;\n"
        "  n2 -> n4;\n"
        "  n0 -> n4;\n"
        "  n4 -> n5;\n"
        "}\n");
  // The second output of tanh, its slope, has a name at the edge.
  const Number slope = gradient([](const Number& v) { return sum(tanh(v)); }, x);
  const std::string text = graphviz(std::pair(slope, unused));
  CHECK(text.find("[label=\"output 1\"];\n") != std::string::npos);
  CHECK(text.find("cos 1") != std::string::npos);
  CHECK(text.find("loss") == std::string::npos);
  CHECK_THROWS_WITH_AS(graphviz(Vars<double>()), "[graphviz] at least one variable is needed",
                       std::invalid_argument);
  tape.clear();
  CHECK_THROWS_AS(graphviz(z), std::invalid_argument);
}

}  // namespace
}  // namespace fjord
