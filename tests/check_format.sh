#!/bin/sh
# Fails if clang-format would change a file, or if a line, a comment included, is longer than 100 columns:
# sh tests/check_format.sh CLANG_FORMAT ROOT
set -eu
cd "$2"
files() {
  find . \( -name '.?*' -o -exec test -d '{}/meson-private' \; \) -prune -o -name '*.[ch]pp' -print0
}
files | xargs -0 "$1" --dry-run -Werror
files | xargs -0 awk 'length($0) > 100 { print FILENAME ":" FNR ": " length($0) " columns, 100 at most"; long = 1 }
  END { exit long }' >&2
