/// The ranks that a launcher of MPI started: mpirun, or srun of Slurm.
#pragma once

#include <memory>
#include <string>

#include "fjord/autodiff/communicator.hpp"

namespace fjord {

/// The processes that the launcher of this one started together; single_process() where there is
/// no launcher, for which MPI is not even initialised.
///
/// The ranks part when it is destroyed, which waits for all of them.
/// Errors:  std::invalid_argument if the launcher started several, and this build is without MPI.
/// Note:    For main() to call, once: MPI cannot be initialised again. The process must not be
///          replaced (exec) afterwards.
std::unique_ptr<const Communicator> launched_ranks();

/// What launched_ranks() is made of: the name and version of the MPI library, or "none".
std::string mpi_text();

}  // namespace fjord
