#!/bin/sh
# Runs clang-tidy over every source and the headers that they include; silent if there is nothing to say.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd -P)
. "$root/apps/build.sh"
# shellcheck disable=SC2086,SC2154 # a list to be split, set by build.sh
install_missing $build_packages clang-tidy
configure build -Dcpu=native
cd "$root"
# The build's flags are GCC's; what clang-tidy says on its standard error is only how much it left out.
git ls-files -z '*.cpp' | xargs -0 -n 1 -P "$(nproc)" \
  clang-tidy -p build --quiet --extra-arg=-Wno-unknown-warning-option 2> /dev/null
