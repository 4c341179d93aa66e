#!/usr/bin/env bash
# mocogan-expressions: drawn faces with still heads, each frame drawn from who it is and the state of a GRU; D_V tells the class.
# Stop it at any time; the same command resumes. Further options are passed on (--max-minutes 90).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
exec "$python" train.py mocogan --preset cpu --data expressions --data-options bank=4096 turns=false --steps 1000 \
  --evaluate-every 250 --evaluate-clips 256 --run "$runs/mocogan-expressions" "$@"
