#!/usr/bin/env bash
# g3an-expressions: drawn faces, six expressions; the default of the page.
# Stop it at any time; the same command resumes. Further options are passed on (--max-minutes 90).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
exec "$python" train.py g3an --preset cpu --data expressions --data-options bank=8192 --steps 5273 \
  --model.minibatch-std --recipe.lr-generator 2e-4 --evaluate-every 1000 --run "$runs/g3an-expressions" "$@"
