/// The BLAS behind the matrix products.
#pragma once

#include <string>

namespace fjord {

/// The BLAS that computes the matrix products, and whether it is as fast as the processor allows.
struct BlasReport {
  std::string library;    ///< name and version
  std::string core;       ///< the processor that the library takes this one for
  int threads = 1;        ///< threads that one product uses
  std::string processor;  ///< widest instruction set of this processor: AVX-512, AVX2 or SSE2
  std::string vectors;    ///< instruction set that Fjord's own kernels are compiled for
  /// The core that OPENBLAS_CORETYPE should name, set before the program starts, where the library
  /// chose kernels weaker than the processor; empty where all is well.
  std::string better_core;
};

BlasReport blas_report();

}  // namespace fjord
