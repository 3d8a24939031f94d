#include "fjord/autodiff/blas.hpp"

#include <cblas.h>

#include <algorithm>
#include <string_view>

namespace fjord {
namespace {

CBLAS_TRANSPOSE transpose_flag(bool transposed) { return transposed ? CblasTrans : CblasNoTrans; }

// OpenBLAS loses time with threads at the sizes of flows, and Fjord's own threads call it.
const bool single_threaded = [] {
  openblas_set_num_threads(1);
  return true;
}();

bool is_among(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

template <>
void multiply(Index m, Index n, Index k, const MatrixOperand<float>& a, const MatrixOperand<float>& b, float* c,
              bool add) {
  cblas_sgemm(CblasColMajor, transpose_flag(a.transposed), transpose_flag(b.transposed), static_cast<int>(m),
              static_cast<int>(n), static_cast<int>(k), 1.0f, a.data, std::max(1, static_cast<int>(a.rows)),
              b.data, std::max(1, static_cast<int>(b.rows)), add ? 1.0f : 0.0f, c,
              std::max(1, static_cast<int>(m)));
}

template <>
void multiply(Index m, Index n, Index k, const MatrixOperand<double>& a, const MatrixOperand<double>& b,
              double* c, bool add) {
  cblas_dgemm(CblasColMajor, transpose_flag(a.transposed), transpose_flag(b.transposed), static_cast<int>(m),
              static_cast<int>(n), static_cast<int>(k), 1.0, a.data, std::max(1, static_cast<int>(a.rows)),
              b.data, std::max(1, static_cast<int>(b.rows)), add ? 1.0 : 0.0, c,
              std::max(1, static_cast<int>(m)));
}

BlasReport blas_report() {
  BlasReport report;
  const std::string config = openblas_get_config();
  report.library = config.substr(0, config.find(' ', config.find(' ') + 1));
  report.core = openblas_get_corename();
  report.threads = openblas_get_num_threads();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  report.processor = avx512 ? "AVX-512" : avx2 ? "AVX2" : "SSE2";
  const bool core_512 = is_among(report.core, {"SkylakeX", "Cooperlake", "Sapphirerapids"});
  const bool core_avx2 = is_among(report.core, {"Haswell", "Zen", "Excavator"});
  if (avx512 && !core_512) report.better_core = "SkylakeX";
  if (!avx512 && avx2 && !core_avx2) report.better_core = "Haswell";
  return report;
}

}  // namespace fjord
