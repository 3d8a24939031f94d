#include "fjord/autodiff/parameter.hpp"

#include <optional>
#include <stdexcept>
#include <type_traits>

#include <doctest/doctest.h>

#include "fjord/autodiff/tape.hpp"

namespace fjord {
namespace {

constexpr const char* held =
    "[parameter] a tape still reads this parameter; rewind or destroy the tape before changing it";

static_assert(!std::is_copy_constructible_v<Parameter<float>>);
static_assert(!std::is_move_constructible_v<Parameter<float>>);

TEST_CASE("parameter: its numbers are changed in place, in storage order") {
  Parameter<float> weight(Tensor<float>{{1, 2}, {3, 4}});
  weight.mutable_values()[1] = 30;
  CHECK(weight.value() == Tensor<float>{{1, 2}, {30, 4}});
}

TEST_CASE("parameter: it is read-only while any tape holds it") {
  Parameter<double> weight(Tensor<double>{1, 2});
  Tape<double> first;
  std::optional<Tape<double>> second(std::in_place);
  static_cast<void>(first.bind(weight));
  static_cast<void>(first.bind(weight));
  static_cast<void>(second->bind(weight));
  CHECK_THROWS_WITH_AS(weight.mutable_values(), held, std::invalid_argument);
  first.clear();
  CHECK_THROWS_WITH_AS(weight.mutable_values(), held, std::invalid_argument);
  second.reset();
  CHECK(weight.mutable_values().size() == 2);
}

TEST_CASE("parameter: a rewind lets go exactly of the parameters bound after its mark") {
  Parameter<double> p(1.0);
  Parameter<double> q(2.0);
  Tape<double> tape;
  static_cast<void>(tape.bind(p));
  const Tape<double>::Mark mark = tape.mark();
  static_cast<void>(tape.bind(q));
  tape.rewind(mark);
  CHECK_THROWS_WITH_AS(p.mutable_values(), held, std::invalid_argument);
  CHECK_NOTHROW(q.mutable_values());
}

}  // namespace
}  // namespace fjord
