#!/bin/sh
# Builds and runs moons: sh apps/moons/run.sh [train|score|sample] [options]; trains the demo without any.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/apps/build.sh"
install_missing $build_packages gnuplot-nox
configure
ninja -C "$root/build" --quiet apps/moons/moons >&2
[ $# -gt 0 ] || set -- train --out "$root/runs/moons"
exec "$root/build/apps/moons/moons" "$@"
