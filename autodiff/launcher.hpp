/// What the environment says of a launcher of MPI.
#pragma once

#include <cstdlib>
#include <initializer_list>

namespace fjord {

/// Whether a launcher started this process: mpirun of Open MPI or MPICH, or srun with PMI or PMIx.
inline bool is_launched() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"}) {
    if (std::getenv(name) != nullptr) return true;
  }
  return false;
}

}  // namespace fjord
