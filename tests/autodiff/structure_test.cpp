#include "fjord/autodiff/structure.hpp"

#include <array>
#include <cmath>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/exponential.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/trigonometric.hpp"

// Structs of a program that is none of Fjord's.
namespace user {
namespace {

template <class T>
struct Line {
  fjord::Var<T> slope;
  fjord::Var<T> offset;
  std::string name;
};

template <class T>
auto members(Line<T>& line) {
  return std::tie(line.slope, line.offset);
}

struct Model {
  std::vector<Line<double>> lines;
  std::pair<fjord::Var<double>, std::array<fjord::Var<double>, 2>> rest;
  int kind = 0;
};

auto members(Model& model) {
  return std::tie(model.lines, model.rest);
}

struct Stranger {
  fjord::Var<double> x;
};

}  // namespace
}  // namespace user

namespace fjord {
namespace {

using user::Line;
using user::Model;
using user::Stranger;
using Number = Var<double>;

static_assert(Structure<Var<float>> && Structure<Vars<double>> && Structure<Model>);
static_assert(Structure<std::tuple<std::vector<Model>, Number>>);
static_assert(std::is_same_v<ScalarOf<std::vector<Line<float>>>, float>);
static_assert(!Structure<double> && !Structure<Stranger> && !Structure<std::string>);
static_assert(!Structure<Tensor<double>> && !Structure<std::vector<double>>);
static_assert(!Structure<std::tuple<>>);

Model model_on(Tape<double>& tape) {
  return {{{tape.scalar(2), tape.scalar(3), "first"}, {tape.scalar(4), tape.scalar(5), "second"}},
          {tape.scalar(6), {tape.scalar(7), tape.scalar(8)}},
          9};
}

std::vector<double> numbers_of(const auto& s) {
  std::vector<double> numbers;
  for_each_var(s, [&](const Number& var) { numbers.push_back(var.item()); });
  return numbers;
}

// The product of all numbers of a model, whose derivative in each is the product of the others.
Number product(const Model& model) {
  Number result = model.rest.first * model.rest.second[0] * model.rest.second[1];
  for (const Line<double>& line : model.lines) result = result * line.slope * line.offset;
  return result;
}

TEST_CASE("structure: variables are visited in the order of the parts, at any depth") {
  Tape<double> tape;
  const Model model = model_on(tape);
  CHECK(numbers_of(model) == std::vector<double>{2, 3, 4, 5, 6, 7, 8});
  CHECK(vars_of(model).size() == 7);
  CHECK(vars_of(std::vector<Model>{model, model}).size() == 14);
  CHECK(vars_of(Model()).size() == 3);
}

TEST_CASE("structure: other variables leave all other parts as they are") {
  Tape<double> tape;
  const Model model = model_on(tape);
  Vars<double> doubled;
  for (const Number& var : vars_of(model)) doubled.push_back(var * 2);
  const Model other = with_vars(model, doubled);
  CHECK(numbers_of(other) == std::vector<double>{4, 6, 8, 10, 12, 14, 16});
  CHECK(other.lines[1].name == "second");
  CHECK(other.kind == 9);
  CHECK(numbers_of(model) == std::vector<double>{2, 3, 4, 5, 6, 7, 8});
}

TEST_CASE("structure: the gradient in a struct is a struct of the same type") {
  Tape<double> tape;
  const Model model = model_on(tape);
  const double all = 2.0 * 3 * 4 * 5 * 6 * 7 * 8;
  const auto [value, slope] = value_and_gradient(product, model);
  static_assert(std::is_same_v<decltype(slope), const Model>);
  CHECK(value.item() == all);
  CHECK(numbers_of(slope) ==
        std::vector<double>{all / 2, all / 3, all / 4, all / 5, all / 6, all / 7, all / 8});
  CHECK(slope.lines[0].name == "first");
  CHECK(slope.kind == 9);
}

TEST_CASE("structure: the Hessian of a product in a struct has the products of all but two") {
  Tape<double> tape;
  const Model model = model_on(tape);
  const double all = 2.0 * 3 * 4 * 5 * 6 * 7 * 8;
  Vars<double> ones(7, tape.scalar(1));
  const Model direction = with_vars(model, ones);
  const double reciprocals = 1.0 / 2 + 1.0 / 3 + 1.0 / 4 + 1.0 / 5 + 1.0 / 6 + 1.0 / 7 + 1.0 / 8;
  const std::vector<double> found = numbers_of(hvp(product, model, direction));
  for (int i = 0; i < 7; ++i) {
    const double expected = all / (i + 2) * (reciprocals - 1.0 / (i + 2));
    CHECK(found[static_cast<std::size_t>(i)] == doctest::Approx(expected).epsilon(1e-14));
  }
}

TEST_CASE("structure: results may be structures, too") {
  Tape<double> tape;
  const std::pair<Number, Number> polar{tape.scalar(2), tape.scalar(0.7)};
  const auto f = [](const std::pair<Number, Number>& p) {
    return std::array<Number, 2>{p.first * cos(p.second), p.first * sin(p.second)};
  };
  const double c = std::cos(0.7);
  const double s = std::sin(0.7);
  const std::array<Number, 2> along = jvp(f, polar, {tape.scalar(1), tape.scalar(10)});
  CHECK(along[0].item() == doctest::Approx(c - 20 * s).epsilon(1e-14));
  CHECK(along[1].item() == doctest::Approx(s + 20 * c).epsilon(1e-14));
  const std::array<Number, 2> cotangent{tape.scalar(1), tape.scalar(10)};
  const auto [radius, angle] = vjp(f, polar, cotangent);
  CHECK(radius.item() == doctest::Approx(c + 10 * s).epsilon(1e-14));
  CHECK(angle.item() == doctest::Approx(-2 * s + 20 * c).epsilon(1e-14));
}

TEST_CASE_TEMPLATE("structure: a Jacobian in a struct has one part for each variable", T, float,
                   double) {
  Tape<T> tape;
  const Line<T> line{tape.input({1, 2}), tape.scalar(3), "line"};
  // Three entries in, then two out and three out: one sweep of either kind.
  const auto short_one = [](const Line<T>& at) { return at.slope * at.slope + at.offset; };
  const auto long_one = [&](const Line<T>& at) {
    return at.offset * tape.input({1, 10, 100}) + sum(at.slope);
  };
  const Line<T> by_rows = jacobian(short_one, line);
  CHECK(Tensor<T>(by_rows.slope.value()) == Tensor<T>{{2, 0}, {0, 4}});
  CHECK(Tensor<T>(by_rows.offset.value()) == Tensor<T>{1, 1});
  const Line<T> by_columns = jacobian(long_one, line);
  CHECK(Tensor<T>(by_columns.slope.value()) == Tensor<T>{{1, 1}, {1, 1}, {1, 1}});
  CHECK(Tensor<T>(by_columns.offset.value()) == Tensor<T>{1, 10, 100});
  CHECK(by_columns.name == "line");
}

TEST_CASE("structure: mistakes are errors that say what is wrong") {
  Tape<double> tape;
  const Vars<double> two{tape.scalar(1), tape.scalar(2)};
  const Vars<double> three(3, tape.scalar(1));
  const auto same = [](const Vars<double>& x) { return x; };
  CHECK_THROWS_WITH_AS(jvp(same, two, three),
                       "[pushforward] one tangent for each input is needed, got 3 for 2",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(vjp(same, two, three),
                       "[pullback] one cotangent for each output is needed, got 3 for 2",
                       std::invalid_argument);
  const auto none = [&](const Vars<double>&) { return tape.scalar(1); };
  CHECK_THROWS_WITH_AS(gradient(none, Vars<double>()),
                       doctest::Contains("[structure] at least one variable on a tape is needed"),
                       std::invalid_argument);
}

}  // namespace
}  // namespace fjord
