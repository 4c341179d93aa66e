#!/usr/bin/env bash
# progressive-expressions: drawn faces with still heads, grown from 4 to 64 pixels with the sliced Wasserstein loss; half
# as many clips on the way to each level as at it, the last level for some 950 steps at the paper's learning rate, and
# then at a third of it.
# Stop it at any time; the same command resumes. Further options are passed on (--threads 1).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
stage() {
  local run=$1
  shift
  "$python" train.py progressive --preset cpu --data expressions --data-options bank=4096 turns=false \
    --recipe.growth.fade 3000 --evaluate-every 500 --run "$runs/$run" "$@"
}
stage progressive-expressions-grown --steps 2513 "$@"
stage progressive-expressions --steps 931 --recipe.growth.first 4 --recipe.lr 3e-4 \
  --init "$runs/progressive-expressions-grown" "$@"
