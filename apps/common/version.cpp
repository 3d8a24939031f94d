#include "fjord/apps/common/version.hpp"

#include "fjord/autodiff/blas.hpp"

namespace fjord::apps {

std::string version_text(const std::string& program) {
  const BlasReport blas = blas_report();
  std::string text = program + " (Fjord) " + FJORD_VERSION + "\n";
  text += "processor: " + blas.processor + ", vectors in use: " + blas.vectors + "\n";
  text += "BLAS: " + blas.library + ", core " + blas.core + ", " + std::to_string(blas.threads) +
          " thread\n";
  return text;
}

}  // namespace fjord::apps
