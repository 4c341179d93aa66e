#!/usr/bin/env bash
# mvtgan-tsa-sprites: game characters in nine motions, drawn frame by frame with temporal shifts. Three stages, each of
# which begins with the networks of the one before: without the loss for variety, which drew one character for each
# motion; with it; and with a generator that learns more slowly, so that its average knows as many people as it does.
# Stop it at any time; the same command resumes. Further options are passed on (--max-minutes 90).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
stage() {
  local run=$1
  shift
  "$python" train.py mvtgan --preset cpu --data sprites --evaluate-every 1000 --run "$runs/$run" "$@"
}
stage mvtgan-tsa-sprites-alike --steps 753 --recipe.variety 0 --recipe.ema 0.999 "$@"
stage mvtgan-tsa-sprites-varied --steps 785 --recipe.ema 0.999 --init "$runs/mvtgan-tsa-sprites-alike" "$@"
stage mvtgan-tsa-sprites --steps STEPS --recipe.lr-generator 2e-4 --init "$runs/mvtgan-tsa-sprites-varied" "$@"
