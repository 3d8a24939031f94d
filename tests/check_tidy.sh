#!/bin/sh
# Runs clang-tidy over every source and the headers that they include; the last line is "N passed, M failed", over sources.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/apps/build.sh"
. "$root/tests/suites.sh"
# shellcheck disable=SC2086,SC2154 # a list to be split, set by build.sh
install_missing $build_packages clang-tidy
configure build -Dcpu=native
cd "$root"
sources() {
  find . \( -name '.?*' -o -exec test -d '{}/meson-private' \; \) -prune -o -name '*.cpp' -print0
}
failures=$(mktemp)
trap 'rm -f "$failures"' EXIT
export failures
# The build's flags are GCC's; what clang-tidy prints on its standard error is only the number of suppressed warnings.
sources | xargs -0 -n 1 -P "$(nproc)" sh -c '
  clang-tidy -p build --quiet --extra-arg=-Wno-unknown-warning-option "$1" 2> /dev/null || echo "$1" >> "$failures"
' sh
failed=$(wc -l < "$failures")
passed=$(($(sources | tr -dc '\0' | wc -c) - failed))
finish
