#!/usr/bin/env bash
# tgan-expressions: drawn faces with still heads by two generators, of codes in time and of frames, with clipped singular values.
# Twice the clips that the other baselines saw: it began to learn after 750 steps.
# Stop it at any time; the same command resumes. Further options are passed on (--max-minutes 90).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
exec "$python" train.py tgan --preset cpu --data expressions --data-options bank=4096 turns=false --steps 2000 \
  --evaluate-every 250 --evaluate-clips 256 --run "$runs/tgan-expressions" "$@"
