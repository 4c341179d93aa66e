#!/usr/bin/env bash
# g3an-expressions: drawn faces, six expressions; the default of the page.
# Two trainings: in the first D_V learns faster than G, and from 3,000 steps on the distance falls no further; so the
# second goes on from its weights with a quarter of the discriminators' learning rate.
# Stop it at any time; the same command resumes. Further options are passed on (--max-minutes 90).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
begin() {
  "$python" train.py g3an --preset cpu --data expressions --data-options bank=8192 --model.minibatch-std \
    --recipe.lr-generator 2e-4 --sheet-every 500 "$@"
}
begin --steps 5273 --evaluate-every 1000 --run "$runs/g3an-expressions-1" "$@"
[ -d "$runs/g3an-expressions-1/state/step-00005273" ] || exit 0 # stopped before its end; the same command resumes
begin --steps 12000 --evaluate-every 500 --run "$runs/g3an-expressions" --init "$runs/g3an-expressions-1" \
  --recipe.lr-discriminator 1e-4 "$@"
