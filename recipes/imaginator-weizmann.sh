#!/usr/bin/env bash
# imaginator-weizmann: a picture of a person and an action become 32 frames; three subjects are never seen.
# Stop it at any time; the same command resumes. Further options are passed on (--max-minutes 90).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
exec "$python" train.py imaginator --preset cpu --data weizmann --steps 1777 \
  --evaluate-every 1000 --run "$runs/imaginator-weizmann" "$@"
