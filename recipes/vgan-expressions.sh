#!/usr/bin/env bash
# vgan-expressions: drawn faces with still heads, a moving foreground laid over a picture that stands still.
# Stop it at any time; the same command resumes. Further options are passed on (--max-minutes 90).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
exec "$python" train.py vgan --preset cpu --data expressions --data-options bank=4096 turns=false --steps 1000 \
  --evaluate-every 250 --evaluate-clips 256 --run "$runs/vgan-expressions" "$@"
