#include "fjord/apps/common/version.hpp"

#include "fjord/autodiff/blas.hpp"
#include "fjord/autodiff/launched_ranks.hpp"

namespace fjord::apps {

std::string version_text(const std::string& program) {
  const BlasReport blas = blas_report();
  std::string text = program + " (Fjord) " + FJORD_VERSION + "\n";
  text += "processor: " + blas.processor + ", vectors in use: " + blas.vectors + "\n";
  text += "BLAS: " + blas.library + ", core " + blas.core + ", " + std::to_string(blas.threads) +
          " thread\n";
  text += "MPI: " + mpi_text() + "\n";
  return text;
}

}  // namespace fjord::apps
