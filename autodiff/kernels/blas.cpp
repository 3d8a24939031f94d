#include "fjord/autodiff/kernels/blas.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <type_traits>

#include <cblas.h>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/kernels/narrow_products.hpp"
#include "fjord/autodiff/kernels/simd.hpp"

// OpenBLAS starts its threads as it is loaded, before a program runs, and ends the program by
// SIGINT where one is refused. This function of OpenBLAS, which reads OPENBLAS_NUM_THREADS, is
// taken from here by the dynamic linker, so none is started. Weak, so that a static OpenBLAS keeps
// its own.
extern "C" __attribute__((weak)) int openblas_num_threads_env() {
  return 1;
}

namespace fjord::kernels {
namespace {

CBLAS_TRANSPOSE transpose_flag(bool transposed) {
  return transposed ? CblasTrans : CblasNoTrans;
}

// OpenBLAS loses time with threads at the sizes of flows, and Fjord's own threads call it.
const bool single_threaded = [] {
  openblas_set_num_threads(1);
  return true;
}();

template <class T>
void blas_multiply(const ProductSizes& sizes, const MatrixOperand<T>& a, const MatrixOperand<T>& b,
                   T* c, Start start) {
  const auto [m, n, k] = sizes;
  const auto size = [](Index value) {
    constexpr Index most = std::numeric_limits<int>::max();
    require(value <= most, "matmul", [&] {
      return "the BLAS takes sizes up to " + std::to_string(most) + ", got " +
             std::to_string(value);
    });
    return static_cast<int>(value);
  };
  // BLAS wants leading dimensions of at least 1, also for empty matrices.
  const auto leading = [&](Index rows) { return std::max(1, size(rows)); };
  const CBLAS_TRANSPOSE ta = transpose_flag(a.transposed);
  const CBLAS_TRANSPOSE tb = transpose_flag(b.transposed);
  // Adding to +0 gives no -0; with a beta of 0, kernels may write the -0 of a sum that underflowed.
  if (start == Start::zero) std::fill_n(c, m * n, T(0));
  if constexpr (std::is_same_v<T, float>) {
    cblas_sgemm(CblasColMajor, ta, tb, size(m), size(n), size(k), 1.0F, a.data, leading(a.rows),
                b.data, leading(b.rows), 1.0F, c, leading(m));
  } else {
    cblas_dgemm(CblasColMajor, ta, tb, size(m), size(n), size(k), 1.0, a.data, leading(a.rows),
                b.data, leading(b.rows), 1.0, c, leading(m));
  }
}

}  // namespace

template <class T>
void multiply(const ProductSizes& sizes, const MatrixOperand<T>& a, const MatrixOperand<T>& b, T* c,
              Start start) {
  if (narrow::takes_rows(sizes, a.transposed)) {
    narrow::multiply_rows<T>(sizes, a, b, c, start, nullptr);
  } else if (narrow::takes_reduction(sizes, a.transposed, b.transposed)) {
    constexpr Index many = 1 << 14;
    if (sizes.k <= many) {
      narrow::multiply_reduction<T>(sizes, a, b, c, start);
    } else {
      narrow::multiply_long_reduction<T>(sizes, a, b, c, start);
    }
  } else {
    blas_multiply(sizes, a, b, c, start);
  }
}

template <class T>
void multiply(const ProductSizes& sizes, const MatrixOperand<T>& a, const MatrixOperand<T>& b, T* c,
              const T* columns) {
  if (narrow::takes_rows(sizes, a.transposed)) {
    narrow::multiply_rows<T>(sizes, a, b, c, Start::zero, columns);
    return;
  }
  for (Index j = 0; j < sizes.n; ++j) std::fill_n(c + j * sizes.m, sizes.m, columns[j]);
  multiply(sizes, a, b, c, Start::present);
}

#define FJORD_INSTANTIATE(T)                                                                    \
  template void multiply(const ProductSizes&, const MatrixOperand<T>&, const MatrixOperand<T>&, \
                         T*, Start);                                                            \
  template void multiply(const ProductSizes&, const MatrixOperand<T>&, const MatrixOperand<T>&, \
                         T*, const T*);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::kernels
