#!/bin/sh
# Builds and runs moons: sh apps/moons/run.sh [train|score|sample] [options]; trains the demo without any.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")/../.." && pwd -P)
. "$root/apps/build.sh"
# shellcheck disable=SC2086,SC2154 # a list to be split, set by build.sh
install_missing $build_packages gnuplot-nox
configure build -Dcpu=native
build build apps/moons/moons
[ $# -gt 0 ] || set -- train
exec "$root/build/apps/moons/moons" "$@"
