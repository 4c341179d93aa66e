#!/usr/bin/env bash
# mvtgan-tsa-weizmann: the real clips of six subjects, drawn frame by frame with temporal shifts.
# Stop it at any time; the same command resumes. Further options are passed on (--max-minutes 90).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
exec "$python" train.py mvtgan --preset cpu --data weizmann --steps 1500 \
  --evaluate-every 500 --run "$runs/mvtgan-tsa-weizmann" "$@"
