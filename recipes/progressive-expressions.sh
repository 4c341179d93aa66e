#!/usr/bin/env bash
# progressive-expressions: drawn faces with still heads, grown from 4 to 64 pixels with the sliced Wasserstein loss; half
# as many clips on the way to each level as at it, and the last level for as long as there are steps.
# Stop it at any time; the same command resumes. Further options are passed on (--threads 1).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
exec "$python" train.py progressive --preset cpu --data expressions --data-options bank=4096 turns=false \
  --recipe.growth.fade 3000 --steps 2600 --evaluate-every 500 --run "$runs/progressive-expressions" "$@"
