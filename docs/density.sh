#!/bin/sh
# Draws docs/density.png from a table of the toy set swiss_roll, with less noise: sh docs/density.sh DENSITY,
# with the path of the program.
set -eu
density=$(realpath "$1")
picture=$(realpath "$(dirname "$0")")/density.png
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cd "$folder"

# roll ROWS SEED: a table on standard output.
roll() {
  python3 - "$@" <<'PYTHON'
import math
import random
import sys

draw = random.Random(int(sys.argv[2]))
print("x,y,z")
for _ in range(int(sys.argv[1])):
    t = 1.5 * math.pi * (1 + 2 * draw.random())
    row = t * math.cos(t), 21 * draw.random(), t * math.sin(t)
    print(",".join(f"{v + draw.gauss(0, 0.4):.3f}" for v in row))
PYTHON
}
roll 4000 0 > roll.csv
roll 500 1 > new.csv
"$density" fit roll.csv
"$density" check --model runs/roll/model.safetensors --data new.csv
"$density" plot --model runs/roll/model.safetensors --data new.csv --out "$picture"
