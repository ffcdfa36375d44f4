#!/usr/bin/env bash
# Makes .venv and installs the program into it; does nothing when that is up to date.
# Usage: scripts/setup.sh [extra,extra]   e.g. scripts/setup.sh test
set -euo pipefail
cd "$(dirname "$0")/.."

extras=${1:-}
if [ "${KLEIN:-auto}" = auto ] && command -v nvidia-smi >/dev/null && nvidia-smi -L 2>/dev/null | grep -q GPU; then
  KLEIN=1
fi
if [ "${KLEIN:-}" = 1 ]; then extras="${extras:+$extras,}klein"; fi

stamp=".venv/.ready-${extras:-plain}"
# The painter's drawings and words are compiled by the installation as well.
sources=(pyproject.toml hatch_build.py scripts/subjects)
if [ -f "$stamp" ] && [ -z "$(find "${sources[@]}" -type f -newer "$stamp" -not -name '*.pyc')" ]; then exit 0; fi

python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "Python 3.11 or newer is needed ('$python' is not it); install it, or name it: PYTHON=python3.12 make run" >&2
  exit 1
fi

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

if [ ! -x .venv/bin/pip ]; then
  if ! "$python" -m venv .venv 2>/dev/null; then
    rm -rf .venv
    echo "Installing the system package python3-venv, which makes virtual environments ..."
    as_root apt-get update -qq && as_root apt-get install -y -qq python3-venv
    "$python" -m venv .venv
  fi
fi
echo "Installing the program${extras:+ with: $extras} (a minute or two the first time) ..."
# torch is pinned for the sake of tests that compare bit for bit; a range would pull whatever is newest that day.
if [ "${KLEIN:-}" = 1 ] && ! .venv/bin/python -c 'import torch' 2>/dev/null; then
  .venv/bin/pip install --quiet --disable-pip-version-check "torch==2.13.0"
fi
.venv/bin/pip install --quiet --disable-pip-version-check --editable ".${extras:+[$extras]}"
touch "$stamp"
