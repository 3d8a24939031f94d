// What a program may do by mistake: each is an error, does not compile, or does no harm.
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "fjord/autodiff/checkpoint.hpp"
#include "fjord/autodiff/derivatives.hpp"
#include "fjord/autodiff/npy.hpp"
#include "fjord/autodiff/ops/einsum.hpp"
#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/extreme.hpp"
#include "fjord/autodiff/ops/index.hpp"
#include "fjord/autodiff/ops/join.hpp"
#include "fjord/autodiff/ops/layer.hpp"
#include "fjord/autodiff/ops/linalg.hpp"
#include "fjord/autodiff/ops/norm.hpp"
#include "fjord/autodiff/ops/normalize.hpp"
#include "fjord/autodiff/ops/reduce.hpp"
#include "fjord/autodiff/ops/scan.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/autodiff/ops/softmax.hpp"
#include "fjord/autodiff/ops/sort.hpp"
#include "fjord/autodiff/ops/transpose.hpp"
#include "fjord/autodiff/xtensor.hpp"

namespace fjord {
namespace {

using V = Var<double>;
using Numbers = Tensor<double>;

// Whether a value, or a name for one, of this type may be asked for a view of it.
template <class X>
concept HasStorage = requires(X&& x) {
  std::forward<X>(x).storage();
};

template <class X>
concept HasData = requires(X&& x) {
  std::forward<X>(x).data();
};

template <class X>
concept HasXtensorView = requires(X&& x) {
  view_of(std::forward<X>(x));
};

template <class X>
concept HasNumbers = requires(X&& x) {
  std::forward<X>(x).value();
};

TEST_CASE_TEMPLATE("misuse: views, spans and pointers of temporaries do not compile", T, Index,
                   float, double) {
  static_assert(HasStorage<Tensor<T>&> && HasStorage<const Tensor<T>&>);
  static_assert(!HasStorage<Tensor<T>> && !HasStorage<const Tensor<T>>);
  static_assert(HasData<Tensor<T>&> && HasData<const Tensor<T>&>);
  static_assert(!HasData<Tensor<T>> && !HasData<const Tensor<T>>);
  static_assert(std::is_convertible_v<Tensor<T>&, TensorView<T>>);
  static_assert(std::is_convertible_v<const Tensor<T>&, TensorView<T>>);
  static_assert(!std::is_constructible_v<TensorView<T>, Tensor<T>>);
  static_assert(!std::is_constructible_v<TensorView<T>, const Tensor<T>>);
  static_assert(!std::is_convertible_v<Tensor<T>, std::span<const T>>);
}

TEST_CASE("misuse: nor do those of temporary parameters and arrays of xtensor") {
  static_assert(HasNumbers<const Parameter<double>&> && !HasNumbers<Parameter<double>>);
  using Array = xt::xarray<double>;
  static_assert(HasXtensorView<Array&> && HasXtensorView<const Array&>);
  static_assert(!HasXtensorView<Array> && !HasXtensorView<const Array>);
  static_assert(!HasXtensorView<xt::xtensor<float, 2>>);
  // The numbers of this temporary are another's.
  static_assert(HasXtensorView<decltype(xt::view(std::declval<Array&>(), xt::all()))>);
}

template <class T>
void move(Tensor<T>& from, Tensor<T>& to) {
  to = std::move(from);
}

TEST_CASE_TEMPLATE("misuse: a tensor that was moved from is empty", T, Index, float, double) {
  const auto check_empty = [](const Tensor<T>& moved) {
    CHECK(moved.shape() == Shape{0});
    CHECK(moved.size() == 0);
    CHECK(moved.storage().empty());
    CHECK(Tensor<T>(TensorView<T>(moved)).size() == 0);
    CHECK(moved.to_vector().empty());
    CHECK_THROWS_AS(moved.item(), std::invalid_argument);
    CHECK_THROWS_AS(moved(0), std::invalid_argument);
  };
  const Tensor<T> numbers{{1, 2}, {3, 4}};
  Tensor<T> a = numbers;
  Tensor<T> b;
  move(a, b);
  check_empty(a);
  CHECK(b == numbers);
  move(b, b);
  CHECK(b == numbers);
  std::swap(a, b);  // which constructs from what it moves, too
  CHECK(a == numbers);
  check_empty(b);
  b = a;
  CHECK(b == numbers);
}

TEST_CASE("misuse: a scope within which the tape was cleared or rewound further leaves it") {
  for (const bool clears : {false, true}) {
    for (const int later : {0, 1, 5}) {
      Tape<double> tape;
      const V before = tape.scalar(1);
      const auto outer = tape.mark();
      tape.scalar(2);
      V last;
      {
        const RewindScope<double> scope(tape);
        tape.scalar(3);
        clears ? tape.clear() : tape.rewind(outer);
        for (int i = 0; i < later; ++i) last = tape.scalar(i);
      }
      CHECK(tape.size() == static_cast<std::size_t>(later + (clears ? 0 : 1)));
      if (later > 0) CHECK(last.item() == later - 1);
      if (!clears) CHECK(before.item() == 1);
    }
  }
}

TEST_CASE("misuse: a function that clears the tape is an error of the operation that calls it") {
  Tape<double> tape;
  tape.scalar(2);
  const V x = tape.scalar(1);
  const auto clears = [&](const V& at) {
    tape.clear();
    return tape.scalar(1) + (at.is_empty() ? at : tape.scalar(2));
  };
  CHECK_THROWS_AS(checkpoint(clears, x), std::invalid_argument);
}

constexpr Index huge = Index{1} << 32;
constexpr Index largest = std::numeric_limits<Index>::max();

TEST_CASE("misuse: more entries than can be addressed are an error wherever a size is computed") {
  CHECK_THROWS_WITH_AS(Shape({huge, huge}),
                       doctest::Contains("entries can be addressed, got sizes [4294967296, "
                                         "4294967296]"),
                       std::invalid_argument);
  CHECK_THROWS_AS(Shape({largest}), std::invalid_argument);
  CHECK_THROWS_AS(Shape({0, largest, largest}), std::invalid_argument);
  CHECK(Shape({0, huge}).size() == 0);
  CHECK(Shape({huge, 1}).size() == huge);
  CHECK_THROWS_AS(Numbers::zeros({huge, huge}), std::invalid_argument);
  CHECK_THROWS_AS(Numbers::identity(huge), std::invalid_argument);
  CHECK_THROWS_AS(Numbers::from({huge, huge}, std::span<const double>()), std::invalid_argument);
  Tape<double> tape;
  const V empty = tape.input(Numbers::zeros({0}));
  const V rows = tape.input(Numbers::zeros({huge, 0}));
  const V one = tape.scalar(1);
  CHECK_THROWS_AS(reshape(empty, {huge, huge, 0}), std::invalid_argument);
  CHECK_THROWS_AS(broadcast_to(one, {huge, huge}), std::invalid_argument);
  CHECK_THROWS_AS(reshape(rows, {huge, 1, 0}) + reshape(rows, {1, huge, 0}), std::invalid_argument);
  CHECK_THROWS_AS(matmul(rows, transpose(rows)), std::invalid_argument);
  CHECK_THROWS_AS(einsum("ik,jk->ij", rows, rows), std::invalid_argument);
  CHECK_THROWS_AS(einsum("ik,jl->ikjl", rows, rows), std::invalid_argument);
  CHECK_THROWS_AS(dot(rows, transpose(rows)), std::invalid_argument);
  CHECK_THROWS_AS(jacobian([](const V& x) { return x; }, rows), std::invalid_argument);
  CHECK_THROWS_AS(repeat(rows, huge, 0), std::invalid_argument);
  CHECK_THROWS_AS(repeat(rows, largest, 0), std::invalid_argument);
  CHECK_THROWS_AS(tile(rows, {huge, 1}), std::invalid_argument);
  CHECK_THROWS_AS(tile(rows, {largest, 1}), std::invalid_argument);
  CHECK_THROWS_AS(pad(rows, {{largest, largest}, {0, 0}}), std::invalid_argument);
  CHECK_THROWS_AS(
      stack<double>(std::vector<V>(3, tape.input(Numbers::zeros({Index{1} << 58, 0}))), 0),
      std::invalid_argument);
  const V wide = tape.input(Numbers::zeros({0, Index{1} << 58}));
  CHECK_THROWS_AS(concatenate<double>(std::vector<V>(40, wide), 1), std::invalid_argument);
}

TEST_CASE("misuse: a step of any size takes the entries that it meets") {
  Tape<double> tape;
  const V x = tape.input({0, 1, 2, 3, 4});
  const auto entries = [&](Index begin, std::optional<Index> end, Index step) {
    return Numbers(slice(x, 0, begin, end, step).value()).to_vector();
  };
  using List = std::vector<double>;
  for (const Index step : {largest, largest - 1, largest - 4, Index{5}}) {
    CAPTURE(step);
    CHECK(entries(0, 5, step) == List{0});
    CHECK(entries(1, 5, step) == List{1});
    CHECK(entries(4, {}, -step) == List{4});
    CHECK(entries(2, 2, step).empty());
  }
  CHECK(entries(4, {}, std::numeric_limits<Index>::min()) == List{4});
  CHECK(entries(0, 5, 4) == List{0, 4});
  CHECK(entries(0, 4, 4) == List{0});
  CHECK(entries(4, {}, -2) == List{4, 2, 0});
  CHECK(entries(4, 0, -2) == List{4, 2});
}

TEST_CASE("misuse: sum_to takes shapes that stretch to that of x") {
  Tape<double> tape;
  const V x = tape.input(Numbers::ones({2, 3}));
  const auto like = [&](const Shape& shape) { return tape.input(Numbers::ones(shape)); };
  CHECK(sum_to(x, like({3})).shape() == Shape{3});
  CHECK(sum_to(x, like({1, 1})).item() == 6);
  for (const Shape& shape :
       {Shape{2}, Shape{2, 2}, Shape{1, 2, 3}, Shape{6}, Shape{3, 3}, Shape{0}}) {
    CAPTURE(to_string(shape));
    CHECK_THROWS_WITH_AS(
        sum_to(x, like(shape)),
        ("[sum_to] a shape that stretches to [2, 3] is needed, got " + to_string(shape)).c_str(),
        std::invalid_argument);
  }
}

struct Use {
  std::string name;
  std::function<void()> call;
};

TEST_CASE("misuse: an axis of a scalar is refused in words that make sense") {
  Tape<double> tape;
  const V x = tape.scalar(1);
  const Tensor<Index> places{0};
  const std::vector<Use> uses{
      {"concatenate",
       [&] {
         concatenate({x, x}, 0);
       }},
      {"slice", [&] { slice(x, 0, 0, 1); }},
      {"slice", [&] { slice(x, 0, 0, 1, 2); }},
      {"take", [&] { take(x, places, 0); }},
      {"gather", [&] { gather(x, places, 0); }},
      {"scatter_add", [&] { scatter_add(x, places, x, 0); }},
      {"flip", [&] { flip(x, 0); }},
      {"roll", [&] { roll(x, 1, 0); }},
      {"repeat", [&] { repeat(x, 2, 0); }},
      {"split", [&] { split(x, 1, 0); }},
      {"swap_axes", [&] { swap_axes(x, 0, 0); }},
      {"transpose", [&] { transpose(x, {0}); }},
      {"sum", [&] { sum(x, {0}); }},
      {"mean", [&] { mean(x, {0}); }},
      {"prod", [&] { prod(x, {0}); }},
      {"variance", [&] { variance(x, {0}); }},
      {"standard_deviation", [&] { standard_deviation(x, {0}); }},
      {"max", [&] { max(x, {0}); }},
      {"min", [&] { min(x, {0}); }},
      {"argmax", [&] { argmax(x, 0); }},
      {"argmin", [&] { argmin(x, 0); }},
      {"norm", [&] { norm(x, {0}); }},
      {"sum_squares", [&] { sum_squares(x, {0}); }},
      {"logsumexp", [&] { logsumexp(x, {0}); }},
      {"softmax", [&] { softmax(x, 0); }},
      {"log_softmax", [&] { log_softmax(x, 0); }},
      {"cumsum", [&] { cumsum(x, 0); }},
      {"cumprod", [&] { cumprod(x, 0); }},
      {"logcumsumexp", [&] { logcumsumexp(x, 0); }},
      {"sort", [&] { sort(x, 0); }},
      {"argsort", [&] { argsort(x, 0); }},
      {"median", [&] { median(x, 0); }},
  };
  for (const Use& use : uses) {
    CAPTURE(use.name);
    CHECK_THROWS_WITH_AS(
        use.call(),
        ("[" + use.name + "] a tensor with axes is needed, got a scalar and axis 0").c_str(),
        std::invalid_argument);
  }
  CHECK_THROWS_WITH_AS(layer_norm(x, x, x),
                       "[layer_norm] a tensor with axes is needed, got a scalar and axis -1",
                       std::invalid_argument);
}

TEST_CASE("misuse: an affine map tells what it needs from what it got") {
  Tape<double> tape;
  const auto ones = [&](const Shape& shape) { return tape.input(Numbers::ones(shape)); };
  const auto says = [&](const Shape& x, const Shape& weight, const Shape& bias, const char* text) {
    CHECK_THROWS_WITH_AS(affine(ones(x), ones(weight), ones(bias)), text, std::invalid_argument);
  };
  says({2}, {3, 2}, {3},
       "[affine] x must have two axes at least, the last of size 2 for weight [3, 2], got x of "
       "shape "
       "[2]");
  says({5, 3}, {3, 2}, {3},
       "[affine] x must have two axes at least, the last of size 2 for weight [3, 2], got x of "
       "shape "
       "[5, 3]");
  says({5, 2}, {2}, {3}, "[affine] the weight must have shape [out, in], got [2]");
  says({5, 2}, {3, 2}, {2}, "[affine] the bias for weight [3, 2] must have shape [3], got [2]");
}

}  // namespace
}  // namespace fjord
