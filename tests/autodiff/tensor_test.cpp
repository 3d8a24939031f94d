#include "fjord/autodiff/tensor.hpp"

#include <functional>
#include <stdexcept>

#include <doctest/doctest.h>

namespace fjord {
namespace {

using Matrix = Tensor<double>;

std::vector<double> stored(const Matrix& tensor) {
  return {tensor.storage().begin(), tensor.storage().end()};
}

/// A call and the message with which it must be refused.
struct Refusal {
  const char* message;
  std::function<void()> call;
};

void check_refusals(const std::vector<Refusal>& cases) {
  for (const Refusal& c : cases) {
    CAPTURE(c.message);
    CHECK_THROWS_WITH_AS(c.call(), c.message, std::invalid_argument);
  }
}

TEST_CASE("shape: sizes, entries and text") {
  CHECK(Shape{}.rank() == 0);
  CHECK(Shape{}.size() == 1);
  CHECK(Shape{2, 3}.size() == 6);
  CHECK(Shape{2, 0, 3}.size() == 0);
  CHECK(to_string(Shape{}) == "[]");
  CHECK(to_string(Shape{256, 2}) == "[256, 2]");
  CHECK(Shape{2, 3} != Shape{2, 3, 1});
  CHECK(Shape(std::vector<Index>(16, 1)).size() == 1);
}

TEST_CASE("shape: axes are added and taken away at either end and between") {
  CHECK(Shape{2, 3}.with_axis(0, 5) == Shape{5, 2, 3});
  CHECK(Shape{2, 3}.with_axis(1, 5) == Shape{2, 5, 3});
  CHECK(Shape{2, 3}.with_axis(2, 5) == Shape{2, 3, 5});
  CHECK(Shape{}.with_axis(0, 0) == Shape{0});
  CHECK(Shape{2, 3, 4}.without_axis(0) == Shape{3, 4});
  CHECK(Shape{2, 3, 4}.without_axis(2) == Shape{2, 3});
  CHECK(Shape{2}.without_axis(0) == Shape{});
}

TEST_CASE("shape: broadcasting follows numpy") {
  struct Case {
    Shape a, b, together;
  };

  for (const Case& c : std::vector<Case>{{{}, {}, {}},
                                         {{}, {2, 3}, {2, 3}},
                                         {{3}, {2, 3}, {2, 3}},
                                         {{2, 1}, {3}, {2, 3}},
                                         {{4, 1, 5}, {3, 1}, {4, 3, 5}},
                                         {{0}, {1}, {0}},
                                         {{2, 0}, {1}, {2, 0}}}) {
    CAPTURE(to_string(c.a));
    CAPTURE(to_string(c.b));
    CHECK(broadcast_shapes(c.a, c.b, "add") == c.together);
    CHECK(broadcast_shapes(c.b, c.a, "add") == c.together);
  }
}

TEST_CASE("shape: negative axes count from the end") {
  CHECK(normalized_axis(0, 2, "sum") == 0);
  CHECK(normalized_axis(-1, 2, "sum") == 1);
  CHECK(normalized_axis(-2, 2, "sum") == 0);
}

TEST_CASE("shape: mistakes are refused") {
  check_refusals({
      {"[shape] sizes must not be negative, got -1 for axis 1",
       [] {
         Shape{2, -1};
       }},
      {"[shape] at most 16 axes are possible, got 17", [] { Shape(std::vector<Index>(17, 1)); }},
      {"[shape] at most 16 axes are possible, got 17",
       [] { Shape(std::vector<Index>(16, 1)).with_axis(3, 1); }},
      {"[add] shapes must match or broadcast, got [2, 3] and [2]",
       [] {
         broadcast_shapes({2, 3}, {2}, "add");
       }},
      {"[add] shapes must match or broadcast, got [0] and [2]",
       [] { broadcast_shapes({0}, {2}, "add"); }},
      {"[sum] the axis must lie in [-2, 2), got 2", [] { normalized_axis(2, 2, "sum"); }},
      {"[sum] the axis must lie in [-2, 2), got -3", [] { normalized_axis(-3, 2, "sum"); }},
      {"[sum] a tensor with axes is needed, got a scalar and axis 0",
       [] { normalized_axis(0, 0, "sum"); }},
  });
}

TEST_CASE("tensor: braces give the shape") {
  CHECK(Matrix().shape() == Shape{});
  CHECK(Matrix(3.0).shape() == Shape{});
  CHECK(Matrix{3.0}.shape() == Shape{1});
  CHECK(Matrix{1, 2, 3}.shape() == Shape{3});
  CHECK(Matrix{{1, 2}}.shape() == Shape{1, 2});
  CHECK(Matrix{{1}, {2}}.shape() == Shape{2, 1});
  CHECK(Matrix{{{7}}}.shape() == Shape{1, 1, 1});
  CHECK(Matrix{{{1, 2, 3}, {4, 5, 6}}}.shape() == Shape{1, 2, 3});
  CHECK(Matrix{{}, {}}.shape() == Shape{2, 0});
  const Matrix matrix{{1, 2.5}, {3, 4}};
  CHECK(to_string(TensorView<double>(matrix)) == "[[1, 2.5], [3, 4]]");
}

TEST_CASE("tensor: ragged braces are refused") {
  const char* ragged = "[tensor] nested braces must not be ragged";
  const char* depth = "[tensor] nested braces must all have the same depth";
  check_refusals({
      {ragged,
       [] {
         Matrix{{1, 2}, {3}};
       }},
      {ragged,
       [] {
         Matrix{{1}, {2, 3}};
       }},
      {ragged,
       [] {
         Matrix{{}, {1}};
       }},
      {ragged,
       [] {
         Matrix{{{1}, {2}}, {{3}}};
       }},
      {depth,
       [] {
         Matrix{{1, 2}, 3};
       }},
      {depth,
       [] {
         Matrix{3, {1, 2}};
       }},
      {depth,
       [] {
         Matrix{{1, 2}, {3, {4}}};
       }},
      {depth,
       [] {
         Matrix{{{1}}, {2}};
       }},
  });
}

TEST_CASE("tensor: storage is column-major, named orders are honoured") {
  const Matrix tensor{{1, 2, 3}, {4, 5, 6}};
  const std::vector<double> c_order = {1, 2, 3, 4, 5, 6};
  const std::vector<double> column_major = {1, 4, 2, 5, 3, 6};
  CHECK(stored(tensor) == column_major);
  CHECK(tensor.to_vector() == c_order);
  CHECK(tensor.to_vector(Order::column_major) == column_major);
  CHECK(Matrix::from({2, 3}, c_order) == tensor);
  CHECK(Matrix::from({2, 3}, column_major, Order::column_major) == tensor);
  CHECK(tensor.reshaped({3, 2}) == Matrix{{1, 2}, {3, 4}, {5, 6}});
  CHECK(tensor(1, 0) == 4);
  CHECK(Matrix{{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}(1, 0, 1) == 6);
}

TEST_CASE("tensor: scalars and empty tensors are ordinary") {
  CHECK(Matrix().item() == 0);
  CHECK(Matrix(3.0)() == 3);
  CHECK(Matrix{{5}}.item() == 5);
  CHECK(Matrix(3.0).reshaped({1, 1}) == Matrix{{3}});
  const Matrix empty = Matrix::zeros({0, 3});
  CHECK(empty.size() == 0);
  CHECK(empty.to_vector().empty());
  CHECK(empty.reshaped({3, 0}).shape() == Shape{3, 0});
  CHECK(to_string(TensorView<double>(empty)) == "[]");
  CHECK(TensorView<double>().shape().size() == 0);
}

TEST_CASE("tensor: makers and changes of precision") {
  CHECK(Matrix::ones({2}) == Matrix{1, 1});
  CHECK(Matrix::full({1, 2}, 7) == Matrix{{7, 7}});
  CHECK(Matrix::identity(2) == Matrix{{1, 0}, {0, 1}});
  CHECK(Matrix{0.1}.as<float>() == Tensor<float>{0.1F});
  Matrix changed{{1, 2}, {3, 4}};
  changed(0, 1) = 9;
  CHECK(changed == Matrix{{1, 9}, {3, 4}});
}

TEST_CASE("tensor: views read foreign memory with any strides") {
  const std::vector<double> memory = {1, 2, 3, 4, 5, 6};
  const TensorView<double> c_order(memory.data(), {2, 3});
  CHECK(c_order(1, 0) == 4);
  CHECK(Matrix(c_order) == Matrix{{1, 2, 3}, {4, 5, 6}});
  CHECK(Matrix(TensorView<double>(memory.data(), {2, 3}, Order::column_major)) ==
        Matrix{{1, 3, 5}, {2, 4, 6}});

  struct Case {
    Index offset;
    Shape shape;
    std::vector<Index> strides;
    Matrix expected;
    bool is_column_major;
  };

  for (const Case& c : std::vector<Case>{{0, {3, 2}, {1, 3}, {{1, 4}, {2, 5}, {3, 6}}, true},
                                         {1, {2}, {3}, {2, 5}, false},
                                         {5, {3}, {-2}, {6, 4, 2}, false},
                                         {0, {2, 2}, {0, 1}, {{1, 2}, {1, 2}}, false},
                                         {0, {1, 3}, {99, 1}, {{1, 2, 3}}, true},
                                         {3, {}, {}, Matrix(4), true}}) {
    const TensorView<double> view(memory.data() + c.offset, c.shape, c.strides);
    CAPTURE(to_string(view));
    CHECK(Matrix(view) == c.expected);
    CHECK(view.is_column_major() == c.is_column_major);
  }
}

TEST_CASE("tensor: mistakes are refused") {
  static const Matrix tensor{{1, 2, 3}, {4, 5, 6}};
  check_refusals({
      {"[tensor] shape [2] needs 2 numbers, got 3",
       [] { Matrix::from({2}, std::vector<double>(3)); }},
      {"[tensor] shape [4] needs 4 numbers, got 6", [] { tensor.reshaped({4}); }},
      {"[item] a tensor of size 1 is needed, got [2, 3]", [] { tensor.item(); }},
      {"[tensor] an entry of shape [2, 3] needs one index for each axis, got 1", [] { tensor(1); }},
      {"[tensor] index 3 is outside axis 1 of shape [2, 3]", [] { tensor(0, 3); }},
      {"[tensor] index -1 is outside axis 0 of shape [2, 3]", [] { tensor(-1, 0); }},
      {"[tensor_view] one stride for each axis of [2, 3] is needed, got 1",
       [] {
         TensorView<double>(tensor.data(), {2, 3}, std::vector<Index>{1});
       }},
  });
}

}  // namespace
}  // namespace fjord
