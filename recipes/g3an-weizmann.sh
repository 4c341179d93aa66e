#!/usr/bin/env bash
# g3an-weizmann: the real clips of six subjects, mirrored in half of the draws, one to three frames apart.
# Stop it at any time; the same command resumes. Further options are passed on (--max-minutes 90).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
exec "$python" train.py g3an --preset cpu --data weizmann --steps 6000 \
  --model.minibatch-std --evaluate-every 1000 --run "$runs/g3an-weizmann" "$@"
