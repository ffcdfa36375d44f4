#!/usr/bin/env bash
# Runs every bench that needs no GPU; the last line of each is one JSON object.
set -euo pipefail
cd "$(dirname "$0")/.."
KLEIN=${KLEIN:-} scripts/setup.sh test
obs=$(command -v obs >/dev/null && echo obs || true)
for bench in latency load fanout procedural gate door flood panic preempt takedown $obs; do
  echo "== $bench" >&2
  .venv/bin/python -m "bench.$bench" | tail -n 1
done
