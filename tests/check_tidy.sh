#!/bin/sh
# Runs clang-tidy over every source that the build compiles, and the headers that they include; the last line is
# "N passed, M failed", over what is compiled at once: eight sources of a library, one of the tests.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd -P)
. "$root/apps/build.sh"
. "$root/tests/suites.sh"
# shellcheck disable=SC2086,SC2154 # a list to be split, set by build.sh
install_missing $build_packages clang-tidy python3 libeigen3-dev
configure build-tidy -Dcpu=native
cd "$root"
# Those that the build compiles; it generates one for each header, too, which others include.
sources() {
  python3 - <<'PYTHON'
import json, os
files = {os.path.relpath(os.path.join(c["directory"], c["file"])) for c in json.load(open("build-tidy/compile_commands.json"))}
print("".join(f + "\0" for f in sorted(files) if "/alone_" not in f), end="")
PYTHON
}
failures=$(mktemp)
trap 'rm -f "$failures"' EXIT
export failures
# The build's flags are GCC's: as in builds with clang, -Wsign-conversion stays off, since clang's takes literals too.
# What clang-tidy prints on its standard error is only the number of suppressed warnings.
sources | xargs -0 -n 1 -P "$(nproc)" sh -c '
  clang-tidy -p build-tidy --quiet --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-sign-conversion "$1" \
    2> /dev/null || echo "$1" >> "$failures"
' sh
failed=$(wc -l < "$failures")
passed=$(($(sources | tr -dc '\0' | wc -c) - failed))
finish
