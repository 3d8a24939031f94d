/// The one place where Fjord includes xtensor, with the mend that xtensor before 0.26 needs in
/// C++20.
///
/// Note:    Include it before any other xtensor or xtensor-blas header: those use what it mends.
#pragma once

#if __has_include(<xtensor/containers/xarray.hpp>)  // the folders of xtensor 0.26 and later
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xarray.hpp>
#include <xtensor/containers/xtensor.hpp>
#include <xtensor/core/xmath.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xexpression_traits.hpp>

#if __cplusplus > 201703L
// g++ lets `template <class, size_t> class S` match svector<T, N, A, Init> by its default
// arguments, and then takes the dynamic shape of an xarray for a std::array: eval, immediate sums,
// pad, ... of an xarray would be xtensor<T, 4>, which reads out of bounds. xtensor rules it out in
// C++17 mode only (its issue 1970).
namespace xt::detail {
// A template parameter, as only that is more special than the wrong match; svector itself is
// ambiguous.
template <template <class, std::size_t, class, bool> class Svector, class X, std::size_t N, class A,
          bool Init>
struct xtype_for_shape<Svector<X, N, A, Init>> {
  template <class T, layout_type L>
  using type = xarray<T, L>;
};
}  // namespace xt::detail
#endif

#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>
#endif

#include <type_traits>

static_assert(std::is_same_v<xt::common_tensor_type_t<xt::xarray<double>, xt::xarray<double>>,
                             xt::xarray<double>>,
              "xtensor takes the shape of an xarray for one of fixed rank: see the mend in "
              "fjord/autodiff/kernels/xt.hpp");
