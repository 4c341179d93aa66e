#!/usr/bin/env bash
# imaginator-sprites: a game character and a motion become 16 frames; 296 characters are never seen.
# Stop it at any time; the same command resumes. Further options are passed on (--max-minutes 90).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
exec "$python" train.py imaginator --preset cpu --data sprites --steps 2075 --model.frames 16 \
  --evaluate-every 1000 --run "$runs/imaginator-sprites" "$@"
