#!/usr/bin/env bash
# The embedder of identities (checkpoints/identity), from expressions, sprites and weizmann.
# Stop it at any time; the same command resumes. Further options are passed on (--threads 1).
set -euo pipefail
source "$(dirname "$0")/environment.sh"
exec "$python" -m vidgan.training.identity --run "$runs/identity" --steps 2000 "$@"
