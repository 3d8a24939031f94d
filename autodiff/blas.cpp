#include "fjord/autodiff/blas.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include <cblas.h>
#include <xsimd/xsimd.hpp>

namespace fjord {
namespace {

bool is_among(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

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
