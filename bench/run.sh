#!/bin/sh
# Builds and runs the benchmarks: each figure beside its reference, timed in the same run.
# Usage: run.sh [training | autodiff | flows | ode | ranks | rows | steps | tables | density]; the last takes the options of density_results.py
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd -P)
. "$root/apps/build.sh"
# shellcheck disable=SC2086,SC2154 # a list to be split, set by build.sh
install_missing $build_packages gnuplot-nox libboost-dev libopenmpi-dev openmpi-bin
configure build -Dcpu=native
build build bench/training_bench bench/autodiff_bench bench/flows_bench bench/ode_bench bench/ranks_bench bench/rows_bench \
  bench/steps_bench bench/tables_bench apps/moons/moons apps/density/density
# OpenBLAS reads the core to take the processor for as it is loaded; moons --version finds the right one by itself.
OPENBLAS_CORETYPE=${OPENBLAS_CORETYPE:-$("$root/build/apps/moons/moons" --version | sed -n 's/.*core \([A-Za-z]*\),.*/\1/p')}
export OPENBLAS_CORETYPE
case ${1-training} in
  training) exec "$root/build/bench/training_bench" "$root/build/apps/moons/moons" ;;
  autodiff | flows | ode) exec "$root/build/bench/$1_bench" ;;
  ranks) exec mpirun --bind-to core -n 2 "$root/build/bench/ranks_bench" ;;
  rows) exec mpirun --bind-to core -n 2 "$root/build/bench/rows_bench" "$root/build/rows.npy" ;;
  steps)
    for _ in 1 2 3; do
      "$root/build/bench/steps_bench" 1
      "$root/build/bench/steps_bench" 2
      mpirun --bind-to core -n 2 "$root/build/bench/steps_bench" 1
    done
    ;;
  tables) exec "$root/build/bench/tables_bench" "$root/build/apps/density/density" ;;
  density)
    shift
    exec python3 "$root/bench/density_results.py" "$root/build/apps/density/density" "$root/docs/density-results.md" "$@"
    ;;
  *) echo "run.sh: training, autodiff, flows, ode, ranks, rows, steps, tables or density is needed, got $1" >&2; exit 2 ;;
esac
