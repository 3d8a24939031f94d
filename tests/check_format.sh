#!/bin/sh
# Fails if clang-format would change a file: sh tests/check_format.sh CLANG_FORMAT ROOT
set -eu
cd "$2"
find autodiff nn ode optim flows apps tests bench examples -name '*.[ch]pp' -print0 | xargs -0 "$1" --dry-run -Werror
