#include "fjord/apps/moons/version.hpp"

#include "fjord/autodiff/blas.hpp"

namespace fjord::apps {

std::string version_text() {
  const BlasReport blas = blas_report();
  std::string text = std::string("moons (Fjord) ") + FJORD_VERSION + "\n";
  text += "processor: " + blas.processor + ", vectors in use: " + blas.vectors + "\n";
  text += "BLAS: " + blas.library + ", core " + blas.core + ", " + std::to_string(blas.threads) +
          " thread\n";
  return text;
}

}  // namespace fjord::apps
