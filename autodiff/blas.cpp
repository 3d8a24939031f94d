#include "fjord/autodiff/blas.hpp"

#include <algorithm>
#include <string_view>
#include <type_traits>

#include <cblas.h>

#include "fjord/autodiff/narrow_products.hpp"
#include "fjord/autodiff/simd.hpp"

namespace fjord {
namespace {

CBLAS_TRANSPOSE transpose_flag(bool transposed) {
  return transposed ? CblasTrans : CblasNoTrans;
}

// OpenBLAS loses time with threads at the sizes of flows, and Fjord's own threads call it.
const bool single_threaded = [] {
  openblas_set_num_threads(1);
  return true;
}();

bool is_among(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

namespace {

template <class T>
void blas_multiply(Index m, Index n, Index k, const MatrixOperand<T>& a, const MatrixOperand<T>& b,
                   T* c, bool add) {
  const auto size = [](Index value) { return static_cast<int>(value); };
  // BLAS wants leading dimensions of at least 1, also for empty matrices.
  const auto leading = [&](Index rows) { return std::max(1, size(rows)); };
  const CBLAS_TRANSPOSE ta = transpose_flag(a.transposed);
  const CBLAS_TRANSPOSE tb = transpose_flag(b.transposed);
  const T beta = add ? T(1) : T(0);
  if constexpr (std::is_same_v<T, float>) {
    cblas_sgemm(CblasColMajor, ta, tb, size(m), size(n), size(k), 1.0F, a.data, leading(a.rows),
                b.data, leading(b.rows), beta, c, leading(m));
  } else {
    cblas_dgemm(CblasColMajor, ta, tb, size(m), size(n), size(k), 1.0, a.data, leading(a.rows),
                b.data, leading(b.rows), beta, c, leading(m));
  }
}

}  // namespace

template <class T>
void multiply(Index m, Index n, Index k, const MatrixOperand<T>& a, const MatrixOperand<T>& b, T* c,
              Start start) {
  if (narrow::takes_rows(m, k, a.transposed)) {
    narrow::multiply_rows<T>(m, n, k, a, b, c, start, nullptr);
  } else if (narrow::takes_reduction(m, n, k, a.transposed, b.transposed)) {
    narrow::multiply_reduction<T>(m, n, k, a, b, c, start);
  } else {
    blas_multiply(m, n, k, a, b, c, start == Start::present);
  }
}

template <class T>
void multiply(Index m, Index n, Index k, const MatrixOperand<T>& a, const MatrixOperand<T>& b, T* c,
              const T* columns) {
  if (narrow::takes_rows(m, k, a.transposed)) {
    narrow::multiply_rows<T>(m, n, k, a, b, c, Start::zero, columns);
    return;
  }
  for (Index j = 0; j < n; ++j) std::fill_n(c + j * m, m, columns[j]);
  multiply(m, n, k, a, b, c, Start::present);
}

#define FJORD_INSTANTIATE(T)                                                                    \
  template void multiply(Index, Index, Index, const MatrixOperand<T>&, const MatrixOperand<T>&, \
                         T*, Start);                                                            \
  template void multiply(Index, Index, Index, const MatrixOperand<T>&, const MatrixOperand<T>&, \
                         T*, const T*);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

BlasReport blas_report() {
  BlasReport report;
  const std::string config = openblas_get_config();
  report.library = config.substr(0, config.find(' ', config.find(' ') + 1));
  report.core = openblas_get_corename();
  report.threads = openblas_get_num_threads();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  report.vectors = xsimd::default_arch::name();
  report.processor = avx512 ? "AVX-512" : avx2 ? "AVX2" : "SSE2";
  const bool core_512 = is_among(report.core, {"SkylakeX", "Cooperlake", "Sapphirerapids"});
  const bool core_avx2 = is_among(report.core, {"Haswell", "Zen", "Excavator"});
  if (avx512 && !core_512) report.better_core = "SkylakeX";
  if (!avx512 && avx2 && !core_avx2) report.better_core = "Haswell";
  return report;
}

}  // namespace fjord
