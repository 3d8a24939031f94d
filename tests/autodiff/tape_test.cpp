#include "fjord/autodiff/tape.hpp"

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>

#include <doctest/doctest.h>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/select.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/sweep.hpp"

namespace fjord {
namespace {

using Values = std::vector<double>;

Values list(const TensorView<double>& view) {
  return Tensor<double>(view).to_vector();
}

TEST_CASE("tape: a rewind ends the nodes after the mark and no others") {
  Tape<double> tape;
  const Var<double> a = tape.input({1, 2});
  const Var<double> b = a + a;
  const Tape<double>::Mark mark = tape.mark();
  const Var<double> c = a * b;
  CHECK(tape.size() == 3);
  tape.rewind(mark);
  CHECK(tape.size() == 2);
  CHECK(list(a.value()) == Values{1, 2});
  CHECK(list(b.value()) == Values{2, 4});
  CHECK_THROWS_WITH_AS(c.value(),
                       "[value] the handle's node was ended by a rewind; record it again",
                       std::invalid_argument);
}

TEST_CASE("tape: an ended handle stays ended when its slot holds another node") {
  Tape<double> tape;
  const Tape<double>::Mark start = tape.mark();
  std::vector<Var<double>> ended;
  for (int i = 0; i < 5; ++i) {
    tape.rewind(start);
    ended.push_back(tape.scalar(i));
  }
  CHECK(ended.back().item() == 4);
  ended.pop_back();
  for (const Var<double>& handle : ended) CHECK_THROWS_AS(handle.item(), std::invalid_argument);
}

TEST_CASE("tape: a rewind to the end ends nothing") {
  Tape<double> tape;
  const Var<double> a = tape.scalar(3);
  tape.rewind(tape.mark());
  CHECK(a.item() == 3);
  CHECK((a * tape.scalar(2)).item() == 6);
}

TEST_CASE("tape: nested marks are rewound from the inside") {
  Tape<double> tape;
  const Tape<double>::Mark outer = tape.mark();
  const Var<double> a = tape.scalar(1);
  const Tape<double>::Mark inner = tape.mark();
  const Var<double> b = tape.scalar(2);
  tape.rewind(inner);
  CHECK(a.item() == 1);
  CHECK_THROWS_AS(b.item(), std::invalid_argument);
  tape.rewind(outer);
  CHECK_THROWS_AS(a.item(), std::invalid_argument);
  CHECK(tape.size() == 0);
}

TEST_CASE("tape: a mark that was itself rewound is an error") {
  constexpr const char* message =
      "[rewind] the mark must be of this recording, got one that was rewound already";
  Tape<double> tape;
  static_cast<void>(tape.input(Tensor<double>::ones({1000})));
  const Tape<double>::Mark mark = tape.mark();
  tape.clear();
  CHECK_THROWS_WITH_AS(tape.rewind(mark), message, std::invalid_argument);
  // As many nodes again, but their numbers take more room than the mark knows of.
  const Var<double> longer = tape.input(Tensor<double>::full({2000}, 7));
  CHECK_THROWS_WITH_AS(tape.rewind(mark), message, std::invalid_argument);
  static_cast<void>(tape.input(Tensor<double>::zeros({2000})));
  CHECK(longer.value()(1999) == 7);
}

TEST_CASE("tape: empty, foreign and ended handles are errors that say which") {
  Tape<double> tape;
  Tape<double> other;
  const Var<double> x = tape.scalar(1);
  const Var<double> foreign = other.scalar(1);
  const Tape<double>::Mark mark = tape.mark();
  const Var<double> ended = tape.scalar(1);
  tape.rewind(mark);
  const std::string empty_text = "the handle is empty: it was never given a node";
  const std::string foreign_text =
      "the handle belongs to another tape; record all operands on one tape";
  const std::string ended_text = "the handle's node was ended by a rewind; record it again";

  using Handle = Var<double>;
  using Use = std::function<void(const Handle& bad)>;
  const TensorView<double> one = x.value();
  const Use add = [&](const Handle& bad) { static_cast<void>(x + bad); };
  const Use choose = [&](const Handle& bad) { where(x, x, bad); };
  const Use pull_output = [&](const Handle& bad) { pullback<double>({bad}, {x}, {x}); };
  const Use pull_cotangent = [&](const Handle& bad) { pullback<double>({x}, {bad}, {x}); };
  const Use pull_input = [&](const Handle& bad) { pullback<double>({x}, {x}, {x, bad}); };
  const Use pull_values = [&](const Handle& bad) {
    const Vars<double> inputs{x, bad};
    pullback_values<double>(std::span(&x, 1), std::span(&one, 1), inputs);
  };
  const Use push_input = [&](const Handle& bad) { pushforward<double>({x, bad}, {x, x}, {x, x}); };
  const Use push_tangent = [&](const Handle& bad) { pushforward(x, bad, x); };
  const Use push_output = [&](const Handle& bad) { pushforward(x, x, bad); };
  const Use push_values = [&](const Handle& bad) { pushforward_values<double>({x}, {x}, {bad}); };
  const std::vector<std::pair<std::string, Use>> uses{
      {"add", add},
      {"where", choose},
      {"pullback", pull_output},
      {"pullback", pull_cotangent},
      {"pullback", pull_input},
      {"pullback", pull_values},
      {"pushforward", push_input},
      {"pushforward", push_tangent},
      {"pushforward", push_output},
      {"pushforward", push_values},
  };
  for (const auto& entry : uses) {
    // Not a structured binding: CAPTURE's lambda cannot capture one in clang 14.
    const auto& op = entry.first;
    const auto& use = entry.second;
    CAPTURE(op);
    const std::string prefix = "[" + op + "] ";
    CHECK_THROWS_WITH_AS(use({}), (prefix + empty_text).c_str(), std::invalid_argument);
    CHECK_THROWS_WITH_AS(use(foreign), (prefix + foreign_text).c_str(), std::invalid_argument);
    CHECK_THROWS_WITH_AS(use(ended), (prefix + ended_text).c_str(), std::invalid_argument);
  }
  CHECK(Var<double>().is_empty());
  CHECK_THROWS_WITH_AS(Var<double>().value(), ("[var] " + empty_text).c_str(),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(exp(Var<double>()), ("[var] " + empty_text).c_str(), std::invalid_argument);
  CHECK_THROWS_WITH_AS(exp(ended), ("[exp] " + ended_text).c_str(), std::invalid_argument);
}

TEST_CASE("tape: an input is copied, column-major numbers are borrowed in place") {
  Tape<double> tape;
  Tensor<double> numbers{{1, 2, 3}, {4, 5, 6}};
  const Var<double> copied = tape.input(numbers);
  const Var<double> borrowed = tape.borrow(numbers);
  CHECK(copied.value().data() != numbers.data());
  CHECK(borrowed.value().data() == numbers.data());
  numbers(1, 2) = 60;
  CHECK(copied.value()(1, 2) == 6);
  CHECK(borrowed.value()(1, 2) == 60);
}

TEST_CASE("tape: numbers in another order are borrowed by one copy") {
  Tape<double> tape;
  Values rows{1, 2, 3, 4, 5, 6};
  const Var<double> copied = tape.borrow(TensorView<double>(rows.data(), {2, 3}));
  CHECK(copied.value().data() != rows.data());
  CHECK(copied.value().is_column_major());
  CHECK(list(copied.value()) == rows);
  rows[0] = 100;
  CHECK(copied.value()(0, 0) == 1);
  // Every second row, and every row from the last to the first.
  const Values table{1, 2, 3, 4, 5, 6, 7, 8};
  const std::vector<Index> skipping{4, 1};
  CHECK(list(tape.borrow(TensorView<double>(table.data(), {2, 2}, skipping)).value()) ==
        Values{1, 2, 5, 6});
  const std::vector<Index> backward{-2, 1};
  CHECK(list(tape.borrow(TensorView<double>(table.data() + 6, {4, 2}, backward)).value()) ==
        Values{7, 8, 5, 6, 3, 4, 1, 2});
}

TEST_CASE("tape: axes of size 1 and empty tensors leave every order column-major") {
  Tape<double> tape;
  const Values numbers{1, 2, 3};
  for (const Shape& shape : {Shape{3}, Shape{1, 3}, Shape{3, 1}, Shape{1, 3, 1}, Shape{0, 3}}) {
    CAPTURE(to_string(shape));
    CHECK(tape.borrow(TensorView<double>(numbers.data(), shape)).value().data() == numbers.data());
  }
}

TEST_CASE("tape: empty tensors, scalars and axes of size 1 are ordinary nodes") {
  Tape<double> tape;
  for (const Shape& shape : {Shape{0}, Shape{0, 3}, Shape{2, 0, 3}, Shape{}, Shape{1, 1, 1}}) {
    CAPTURE(to_string(shape));
    const Var<double> x = tape.input(Tensor<double>::full(shape, 3));
    const Var<double> y = sum(x * x + x);
    CHECK(y.shape() == Shape{});
    CHECK(y.item() == 12.0 * static_cast<double>(shape.size()));
    const Tensor<double> gradient(gradient_values<double>(y, std::span(&x, 1))[0]);
    CHECK(gradient == Tensor<double>::full(shape, 7));
    const Var<double> recorded = pullback<double>({y}, {tape.scalar(1)}, {x})[0];
    CHECK(Tensor<double>(recorded.value()) == Tensor<double>::full(shape, 7));
    const Var<double> tangent = tape.input(Tensor<double>::full(shape, 2));
    CHECK(pushforward(x, tangent, y).item() == 14.0 * static_cast<double>(shape.size()));
  }
}

TEST_CASE("tape: values are aligned and keep their numbers while it grows") {
  Tape<float> tape;
  std::vector<Var<float>> nodes;
  for (Index i = 0; i < 3000; ++i) {
    nodes.push_back(tape.input(Tensor<float>::full({i % 300 + 1}, static_cast<float>(i))));
  }
  CHECK(tape.capacity() > std::size_t{1} << 20);  // many times the first block
  for (Index i = 0; i < 3000; ++i) {
    const TensorView<float> value = nodes[static_cast<std::size_t>(i)].value();
    const std::uintptr_t alignment = value.shape().size() < 128 ? sizeof(float) : 64;
    REQUIRE(reinterpret_cast<std::uintptr_t>(value.data()) % alignment == 0);
    REQUIRE(Tensor<float>(value) == Tensor<float>::full({i % 300 + 1}, static_cast<float>(i)));
  }
}

TEST_CASE("tape: scalars stand side by side") {
  Tape<float> tape;
  const Var<float> a = tape.scalar(1);
  const Var<float> b = tape.scalar(2);
  CHECK(b.value().data() == a.value().data() + 1);
}

TEST_CASE("tape: nodes and their shapes stay where they are while it grows") {
  Tape<double> tape;
  const Var<double> x = tape.input({{1, 2}, {3, 4}});
  const Node<double>& node = tape.node(x, "test");
  for (int i = 0; i < 10'000; ++i) static_cast<void>(tape.scalar(i));
  CHECK(&tape.node(x, "test") == &node);
  CHECK(node.shape.shape() == Shape{2, 2});
}

TEST_CASE("tape: a recording no longer than an earlier one takes no memory") {
  Tape<double> tape;
  const auto record = [&](int length) {
    Var<double> x = tape.input(Tensor<double>::ones({64, 8}));
    const Var<double> in = x;
    for (int i = 0; i < length; ++i) x = x * x + in;
    const Var<double> y = sum(x);
    static_cast<void>(gradient_values<double>(y, std::span(&in, 1)));
    static_cast<void>(pullback<double>({y}, {tape.scalar(1)}, {in}));
    tape.clear();
  };
  record(500);
  const std::size_t grown = tape.capacity();
  for (const int length : {500, 1, 250, 499, 500, 3}) record(length);
  CHECK(tape.capacity() == grown);
}

TEST_CASE("tape: a parameter is bound once and read in place") {
  Tape<double> tape;
  Parameter<double> weight(Tensor<double>{{1, 2}, {3, 4}});
  const Var<double> a = tape.bind(weight);
  const Var<double> b = tape.bind(weight);
  CHECK(a.index() == b.index());
  CHECK(tape.size() == 1);
  CHECK(a.value().data() == weight.value().data());
}

TEST_CASE("tape: each of many parameters has its own leaf in whatever order they are bound") {
  Tape<double> tape;
  std::vector<std::unique_ptr<Parameter<double>>> parameters;
  std::vector<std::uint32_t> leaves;
  for (int i = 0; i < 10; ++i) {
    parameters.push_back(std::make_unique<Parameter<double>>(Tensor<double>(i)));
    leaves.push_back(tape.bind(*parameters.back()).index());
  }
  for (const std::size_t i : {9U, 0U, 5U, 5U, 4U, 1U, 9U, 8U, 2U, 7U, 3U, 6U, 0U}) {
    const Var<double> leaf = tape.bind(*parameters[i]);
    CHECK(leaf.index() == leaves[i]);
    CHECK(leaf.item() == static_cast<double>(i));
  }
  CHECK(tape.size() == 10);
}

TEST_CASE("tape: parameters bound after a mark are bound anew after its rewind") {
  Tape<double> tape;
  Parameter<double> p(1.0);
  Parameter<double> q(2.0);
  Parameter<double> r(3.0);
  const Var<double> old = tape.bind(p);
  const Tape<double>::Mark mark = tape.mark();
  const Var<double> ended = tape.bind(q);
  static_cast<void>(tape.bind(r));
  tape.rewind(mark);
  q.mutable_values()[0] = 20;
  const Var<double> again = tape.bind(q);
  CHECK(again.item() == 20);
  CHECK(again.index() == ended.index());
  CHECK_THROWS_AS(ended.item(), std::invalid_argument);
  CHECK(tape.bind(p).index() == old.index());
  CHECK(tape.bind(r).item() == 3);
  CHECK(tape.bind(q).index() == again.index());
}

TEST_CASE("tape: a parameter may end before the tape, and another may take its place") {
  Tape<double> tape;
  std::optional<Parameter<double>> parameter(std::in_place, Tensor<double>{1, 2});
  const Var<double> old = tape.bind(*parameter);
  parameter.reset();
  parameter.emplace(Tensor<double>{3, 4, 5});  // at the same address
  const Var<double> leaf = tape.bind(*parameter);
  CHECK(leaf.index() != old.index());
  CHECK(list(leaf.value()) == Values{3, 4, 5});
  CHECK(tape.bind(*parameter).index() == leaf.index());
  parameter.reset();
}

TEST_CASE("tape: an owned object lives as long as the node after it") {
  Tape<double> tape;
  const auto object = std::make_shared<int>(5);
  static_cast<void>(tape.scalar(0));
  const Tape<double>::Mark before = tape.mark();
  tape.own(object);
  static_cast<void>(tape.scalar(1));
  const Tape<double>::Mark after = tape.mark();
  static_cast<void>(tape.scalar(2));
  tape.rewind(after);
  CHECK(object.use_count() == 2);
  tape.rewind(before);
  CHECK(object.use_count() == 1);
}

}  // namespace
}  // namespace fjord
