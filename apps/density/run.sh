#!/bin/sh
# Builds and runs density: sh apps/density/run.sh [fit|score|sample|info] [options]; shows its help without any.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")/../.." && pwd -P)
. "$root/apps/build.sh"
# shellcheck disable=SC2086,SC2154 # a list to be split, set by build.sh
install_missing $build_packages
configure build -Dcpu=native
build build apps/density/density
[ $# -gt 0 ] || set -- --help
exec "$root/build/apps/density/density" "$@"
