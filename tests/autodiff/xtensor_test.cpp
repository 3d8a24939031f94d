#include "fjord/autodiff/xtensor.hpp"

#include <doctest/doctest.h>

namespace fjord {
namespace {

using RowMajor = xt::xarray<double, xt::layout_type::row_major>;
using ColumnMajor = xt::xarray<double, xt::layout_type::column_major>;

const Tensor<double> matrix{{1, 2, 3}, {4, 5, 6}};

TEST_CASE("xtensor: the mend for C++20 holds for what it broke") {
  const RowMajor a{{1, 2, 3}, {4, 5, 6}};
  const RowMajor twice = xt::eval(a + a);
  const RowMajor rows = xt::sum(a, {1}, xt::evaluation_strategy::immediate);
  const RowMajor flipped = xt::eval(xt::transpose(a));
  CHECK(from_xtensor(twice) == Tensor<double>{{2, 4, 6}, {8, 10, 12}});
  CHECK(from_xtensor(rows) == Tensor<double>{6, 15});
  CHECK(from_xtensor(flipped) == Tensor<double>{{1, 4}, {2, 5}, {3, 6}});
}

TEST_CASE("xtensor: tensors of every kind survive the way there and back") {
  for (const Tensor<double>& tensor :
       {matrix, Tensor<double>(2.5), Tensor<double>{1, 2}, Tensor<double>{{7}},
        Tensor<double>::zeros({0, 3}), Tensor<double>{{{1, 2}, {3, 4}}}}) {
    CAPTURE(to_string(tensor.shape()));
    CHECK(from_xtensor(to_xtensor(tensor)) == tensor);
    const auto array = to_xtensor(tensor);
    CHECK(Tensor<double>(view_of(array)) == tensor);
  }
  const ColumnMajor there = to_xtensor(matrix);
  CHECK(there.dimension() == 2);
  CHECK(there(0, 2) == 3);
  CHECK(there(1, 0) == 4);
}

TEST_CASE("xtensor: a view's strides are respected") {
  const std::array<Index, 2> strides = {1, 2};
  const TensorView<double> transposed(matrix.data(), {2, 3}, strides);
  const TensorView<double> c_order(matrix.data(), {3, 2});
  CHECK(from_xtensor(to_xtensor(transposed)) == matrix);
  CHECK(from_xtensor(to_xtensor(c_order)) == Tensor<double>{{1, 4}, {2, 5}, {3, 6}});
}

TEST_CASE("xtensor: lazy expressions of any layout are evaluated") {
  const RowMajor rows{{1, 2, 3}, {4, 5, 6}};
  const ColumnMajor columns = rows;
  const xt::xtensor<double, 1> bias{10, 20, 30};
  CHECK(from_xtensor(rows + columns) == Tensor<double>{{2, 4, 6}, {8, 10, 12}});
  CHECK(from_xtensor(2.0 * rows + bias) == Tensor<double>{{12, 24, 36}, {18, 30, 42}});
  CHECK(from_xtensor(xt::transpose(rows)) == Tensor<double>{{1, 4}, {2, 5}, {3, 6}});
  CHECK(from_xtensor(xt::sum(columns, {0})) == Tensor<double>{5, 7, 9});
  CHECK(from_xtensor(xt::view(rows, xt::all(), 1)) == Tensor<double>{2, 5});
  CHECK(from_xtensor(xt::view(rows, xt::all(), xt::keep(2, 0))) == Tensor<double>{{3, 1}, {6, 4}});
  CHECK(from_xtensor(xt::xarray<float>{1, 2}) == Tensor<float>{1, 2});
}

TEST_CASE("xtensor: containers and strided views are read in place") {
  const RowMajor rows{{1, 2, 3}, {4, 5, 6}};
  const ColumnMajor columns = rows;
  const xt::xtensor<double, 2> fixed_rank = rows;
  const xt::xtensor_fixed<double, xt::xshape<2, 3>> fixed_shape = rows;
  CHECK(view_of(rows).data() == rows.data());
  CHECK(Tensor<double>(view_of(rows)) == matrix);
  CHECK_FALSE(view_of(rows).is_column_major());
  CHECK(view_of(columns).data() == columns.data());
  CHECK(view_of(columns).is_column_major());
  CHECK(Tensor<double>(view_of(fixed_rank)) == matrix);
  CHECK(Tensor<double>(view_of(fixed_shape)) == matrix);
  const TensorView<double> column =
      view_of(xt::view(rows, xt::all(), 1));  // `rows` holds the numbers
  CHECK(column.data() == &rows(0, 1));
  CHECK(Tensor<double>(column) == Tensor<double>{2, 5});
  CHECK(Tensor<double>(view_of(xt::view(rows, 1, xt::range(2, xt::xnone(), -1)))) ==
        Tensor<double>{6, 5, 4});
  CHECK(Tensor<double>(view_of(xt::transpose(rows))) == Tensor<double>{{1, 4}, {2, 5}, {3, 6}});
  CHECK(Tensor<double>(view_of(
            xt::adapt(matrix.data(), 6, xt::no_ownership(), std::array<std::size_t, 1>{6}))) ==
        Tensor<double>{1, 4, 2, 5, 3, 6});
}

TEST_CASE("xtensor: only floats and doubles, and only what has memory, are taken") {
  using Lazy = decltype(std::declval<const RowMajor&>() + 1.0);
  static_assert(XtensorContainer<RowMajor>);
  static_assert(XtensorExpression<Lazy>);
  static_assert(!XtensorContainer<Lazy>);
  static_assert(!XtensorExpression<xt::xarray<int>>);
  const RowMajor deep = RowMajor::from_shape(std::vector<std::size_t>(17, 1));
  CHECK_THROWS_WITH_AS(view_of(deep), "[shape] at most 16 axes are possible, got 17",
                       std::invalid_argument);
  CHECK_THROWS_AS(from_xtensor(deep + 1.0), std::invalid_argument);
}

}  // namespace
}  // namespace fjord
