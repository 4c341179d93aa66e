#!/usr/bin/env bash
# imaginator-expressions: a drawn face and an expression become 32 frames; identities of the test split are never seen.
# Stop it at any time; the same command resumes. Further options are passed on (--max-minutes 90).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
exec "$python" train.py imaginator --preset cpu --data expressions --data-options bank=4096 --steps 10000 \
  --evaluate-every 1000 --run "$runs/imaginator-expressions" "$@"
