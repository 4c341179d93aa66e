#!/usr/bin/env bash
# mvtgan-tsa-sprites: game characters in nine motions, drawn frame by frame with temporal shifts. Three stages, each of
# which begins with the networks of the one before: without the loss for variety, which drew one character for each
# motion; with it; and with a generator that learns more slowly, so that its average knows as many people as it does.
# 500 more steps in which D learnt more slowly, too, measured worse (Frechet 69.2 -> 84.4) and were left out.
# Stop it at any time; the same command resumes. Further options are passed on (--max-minutes 90).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
stage() {
  local run=$1
  shift
  "$python" train.py mvtgan --preset cpu --data sprites --model.no-normalised-codes --evaluate-every 1000 \
    --run "$runs/$run" "$@"
}
name=mvtgan-tsa-sprites
stage $name-alike --steps 753 --recipe.variety 0 --recipe.ema 0.999 "$@"
stage $name-varied --steps 785 --recipe.ema 0.999 --init "$runs/$name-alike" "$@"
stage $name --steps 1061 --recipe.lr-generator 2e-4 --init "$runs/$name-varied" "$@"
