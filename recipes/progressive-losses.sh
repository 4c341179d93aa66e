#!/usr/bin/env bash
# The sliced Wasserstein loss against WGAN-GP, on drawn faces at 32 pixels: the same networks but for D's end, the same
# clips, the same 1,034 steps. No releases: `python -m benchmarks.losses` makes docs/losses.svg of the two logs.
# Stop it at any time; the same command resumes. Further options are passed on (--threads 1).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
for loss in swgan wgan-gp; do
  "$python" train.py progressive --preset "cpu-$loss" --data expressions --data-options bank=4096 turns=false \
    --model.size 32 --model.width 32 --batch 16 --recipe.growth.stable 3000 --recipe.growth.fade 3000 --steps 1034 --recipe.ema 0.999 \
    --evaluate-every 94 --evaluate-clips 512 --run "$runs/progressive-$loss" "$@"
done
