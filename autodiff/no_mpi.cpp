// In place of mpi_communicator.cpp, in builds without MPI.

#include <cstdlib>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/launched_ranks.hpp"
#include "fjord/autodiff/launcher.hpp"

namespace fjord {
namespace {

bool are_several_launched() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}) {
    const char* size = std::getenv(name);
    if (size != nullptr && std::atoi(size) > 1) return true;
  }
  return false;
}

}  // namespace

std::unique_ptr<const Communicator> launched_ranks() {
  require(!is_launched() || !are_several_launched(), "mpirun",
          "this build is without MPI; install libopenmpi-dev and build in a new folder");
  return std::make_unique<SingleProcess>();
}

std::string mpi_text() {
  return "none";
}

}  // namespace fjord
