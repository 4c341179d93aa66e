#!/usr/bin/env bash
# imaginator-weizmann: a picture of a person and an action become 32 frames; three subjects are never seen. Four stages:
# the preset's losses, weaker adversarial ones, then clips in other colours and places (six subjects are few to learn
# people from), and at last weaker adversarial losses still.
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
stage imaginator-weizmann-varied --steps 839 --init "$runs/imaginator-weizmann-soft" --data-options vary=0.4 \
  --recipe.adversarial 0.3 --recipe.lr-generator 2e-4 "$@"
stage imaginator-weizmann --steps 825 --init "$runs/imaginator-weizmann-varied" --data-options vary=0.4 \
  --recipe.adversarial 0.1 --recipe.lr-generator 2e-4 "$@"
