#!/bin/sh
# Draws docs/density.png from tests/data/iris.csv: sh docs/density.sh DENSITY, with the path of the program.
set -eu
density=$(realpath "$1")
root=$(realpath "$(dirname "$0")/..")
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cd "$folder"
"$density" fit "$root/tests/data/iris.csv"
"$density" plot --model runs/iris/model.safetensors --data "$root/tests/data/iris.csv" --out "$root/docs/density.png"
