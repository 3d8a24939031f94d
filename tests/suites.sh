# Sourced by the scripts that run tests, after apps/build.sh: counts what passed and failed.

passed=0
failed=0

# Builds TARGETS in $root/FOLDER and runs the tests there that the options of meson test choose:
# run_suites FOLDER TARGETS [OPTION...]
run_suites() {
  suites_folder=$1
  # shellcheck disable=SC2086 # a list to be split
  if ! build "$suites_folder" $2; then
    failed=$((failed + 1))
    return 0
  fi
  shift 2
  log=$root/$suites_folder/meson-logs/summary.txt
  status=0
  meson test -C "$root/$suites_folder" --no-rebuild --print-errorlogs "$@" > "$log" 2>&1 || status=$?
  cat "$log"
  now_passed=$(count Ok)
  now_failed=$(($(count Fail) + $(count Timeout) + $(count "Unexpected Pass")))
  # No test at all, or a failure that meson does not count, is a failure.
  [ "$now_failed" -gt 0 ] || { [ "$status" -eq 0 ] && [ "$now_passed" -gt 0 ]; } || now_failed=1
  passed=$((passed + now_passed))
  failed=$((failed + now_failed))
}

count() {
  number=$(sed -n "s/^$1: *\([0-9][0-9]*\).*/\1/p" "$log" | tail -n 1)
  echo "${number:-0}"
}

# Ends the script with the closing line and the exit status that belongs to it.
finish() {
  echo "$passed passed, $failed failed"
  exit $((failed > 0))
}
