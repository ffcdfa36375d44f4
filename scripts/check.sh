#!/usr/bin/env bash
# Lint, types, import contracts, security, twin tests, and the JavaScript: what must hold beside the tests.
set -euo pipefail
cd "$(dirname "$0")/.."
KLEIN=${KLEIN:-} scripts/setup.sh test
bin=.venv/bin
$bin/ruff check .
$bin/ruff format --check .
$bin/mypy
$bin/lint-imports
$bin/bandit -q -c pyproject.toml -r streamer
$bin/python scripts/twins.py
scripts/check_web.sh
echo "all checks passed"
