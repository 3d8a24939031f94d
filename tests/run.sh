#!/bin/sh
# Builds everything and runs every test; the last line is "N passed, M failed".
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd -P)
. "$root/apps/build.sh"
. "$root/tests/suites.sh"
# shellcheck disable=SC2086,SC2154 # a list to be split, set by build.sh
install_missing $build_packages gnuplot-nox clang-format doxygen libeigen3-dev libopenmpi-dev openmpi-bin python3 python3-numpy
configure build -Dcpu=native
run_suites build all
finish
