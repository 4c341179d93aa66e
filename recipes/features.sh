#!/usr/bin/env bash
# The feature network of the metrics (checkpoints/features), from expressions, sprites and weizmann.
# Stop it at any time; the same command resumes. Further options are passed on (--threads 1).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
exec "$python" -m vidgan.training.features --run "$runs/features" --steps 1200 "$@"
