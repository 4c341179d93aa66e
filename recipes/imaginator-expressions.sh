#!/usr/bin/env bash
# imaginator-expressions: a drawn face and an expression become 32 frames; identities of the test split are never seen.
# In three stages, each of which begins with the weights of the one before: heads that turn, with full adversarial
# losses; weaker ones; heads that stay still. Learnt from still heads at once, it might take fewer steps: not tried.
# Stop it at any time; the same command resumes. Further options are passed on (--threads 1).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
stage() {
  local run=$1
  shift
  "$python" train.py imaginator --preset cpu --data expressions --run "$runs/$run" "$@"
}
stage imaginator-expressions-turning --data-options bank=4096 --steps 1991 "$@"
stage imaginator-expressions-soft --data-options bank=4096 --steps 519 \
  --init "$runs/imaginator-expressions-turning" --recipe.adversarial 0.2 --recipe.lr-generator 2e-4 "$@"
stage imaginator-expressions --data-options bank=4096 turns=false --steps 2501 \
  --init "$runs/imaginator-expressions-soft" --recipe.adversarial 0.5 "$@"
