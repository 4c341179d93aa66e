#!/usr/bin/env bash
# g3an-expressions: drawn faces, six expressions; the default of the page. Two stages: heads that turn, then, from the
# generator of the first one's release, heads that do not, which is what eyes and mouths became clear with.
# Stop it at any time; the same command resumes. Further options are passed on (--max-minutes 90).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
stage() {
  local run=$1
  shift
  "$python" train.py g3an --preset cpu --data expressions --model.minibatch-std --recipe.lr-generator 2e-4 \
    --evaluate-every 1000 --run "$runs/$run" "$@"
}
turning="$runs/g3an-expressions-released"
if [ ! -d "$turning" ]; then
  stage g3an-expressions-turning --data-options bank=8192 --steps 5273 "$@"
  "$python" -m vidgan.cli release "$runs/g3an-expressions-turning" g3an-expressions-released --out "$turning"
fi
stage g3an-expressions --data-options bank=8192 turns=false --steps 2060 --init "$turning" "$@"
