#!/bin/sh
# Fails if clang-format would change a file: sh tests/check_format.sh CLANG_FORMAT ROOT
set -eu
cd "$2"
find . \( -name '.?*' -o -exec test -d '{}/meson-private' \; \) -prune -o -name '*.[ch]pp' -print0 | xargs -0 "$1" --dry-run -Werror
