#!/bin/sh
# Runs the unit tests under the address and undefined-behaviour sanitizers (address), with all memory that is handed
# out filled with NaN (poison), and those with threads under the thread sanitizer (thread); the last line is
# "N passed, M failed". Usage: sanitizers.sh [address] [poison] [thread], all of them without arguments
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd -P)
. "$root/apps/build.sh"
. "$root/tests/suites.sh"
# shellcheck disable=SC2086,SC2154 # a list to be split, set by build.sh
install_missing $build_packages clang-format python3 python3-numpy
# Little optimised and without symbols, for the plain processor: that halves the time they take to compile.
options="-Dapps=false -Doptimization=1 -Ddebug=false -Db_ndebug=false"
[ $# -gt 0 ] || set -- address poison thread
for run; do
  # Sanitized code runs up to ten times slower, little optimised code up to three.
  # shellcheck disable=SC2086 # a list to be split
  case $run in
    address)
      export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
      # The memory that `new` gives: bytes of 255 are NaN.
      export ASAN_OPTIONS=max_malloc_fill_size=1073741824:malloc_fill_byte=255
      configure build-asan $options -Db_sanitize=address,undefined -Dpoison=true
      run_suites build-asan unit_tests --suite unit --timeout-multiplier 5
      ;;
    poison)
      configure build-poison $options -Dpoison=true
      run_suites build-poison unit_tests --suite unit --timeout-multiplier 5
      ;;
    thread)
      configure build-tsan $options -Db_sanitize=thread
      run_suites build-tsan tests/test_threads threads --timeout-multiplier 5
      ;;
    *)
      echo "sanitizers.sh: address, poison or thread is needed, got $run" >&2
      exit 2
      ;;
  esac
done
finish
