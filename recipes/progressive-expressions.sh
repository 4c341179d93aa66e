#!/usr/bin/env bash
# progressive-expressions: drawn faces with still heads, grown from 4 to 64 pixels with the sliced Wasserstein loss: a
# quarter as many clips on the way to each level as at it, at three times the paper's learning rate, as each level has a
# fiftieth of its clips.
# Stop it at any time; the same command resumes. Further options are passed on (--threads 1).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
exec "$python" train.py progressive --preset cpu --data expressions --data-options bank=4096 turns=false \
  --recipe.growth.stable 12000 --recipe.growth.fade 3000 --recipe.lr 3e-3 --steps 3537 \
  --evaluate-every 500 --evaluate-clips 256 --run "$runs/progressive-expressions" "$@"
