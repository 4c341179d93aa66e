#!/usr/bin/env bash
# imaginator-weizmann: a picture of a person and an action become 32 frames; three subjects are never seen. Three stages:
# the preset's losses, weaker adversarial ones, and still weaker ones at a quarter of G's learning rate.
# Stop it at any time; the same command resumes. Further options are passed on (--max-minutes 90).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
stage() {
  local run=$1
  shift
  "$python" train.py imaginator --preset cpu --data weizmann --evaluate-every 1000 --run "$runs/$run" "$@"
}
stage imaginator-weizmann-sharp --steps 3158 "$@"
stage imaginator-weizmann-soft --steps 1483 --init "$runs/imaginator-weizmann-sharp" --recipe.adversarial 0.3 "$@"
stage imaginator-weizmann --steps 700 --init "$runs/imaginator-weizmann-soft" --recipe.adversarial 0.2 \
  --recipe.lr-generator 1e-4 --recipe.lr-discriminator 1e-4 "$@"
