#!/usr/bin/env bash
# g3an-weizmann: the real clips of six subjects, mirrored in half of the draws, one to three frames apart; the preset's
# rates, then lower ones.
# Stop it at any time; the same command resumes. Further options are passed on (--max-minutes 90).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
stage() {
  local run=$1
  shift
  "$python" train.py g3an --preset cpu --data weizmann --model.minibatch-std --evaluate-every 1000 --run "$runs/$run" "$@"
}
stage g3an-weizmann-fast --steps 3288 "$@"
stage g3an-weizmann --steps 510 --recipe.lr-generator 2e-4 --recipe.lr-discriminator 1e-4 \
  --init "$runs/g3an-weizmann-fast" "$@"
