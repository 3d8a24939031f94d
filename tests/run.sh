#!/bin/sh
# Builds everything and runs every test; the last line is "N passed, M failed".
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/apps/build.sh"
install_missing $build_packages gnuplot-nox clang-format python3
configure
ninja -C "$root/build" --quiet >&2
status=0
log="$root/build/meson-logs/summary.txt"
meson test -C "$root/build" --no-rebuild --print-errorlogs > "$log" 2>&1 || status=$?
cat "$log"
count() { sed -n "s/^$1: *\([0-9][0-9]*\).*/\1/p" "$log" | tail -n 1; }
passed=$(count Ok)
failed=$(($(count Fail) + $(count Timeout) + $(count "Unexpected Pass")))
[ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
echo "${passed:-0} passed, $failed failed"
exit "$status"
