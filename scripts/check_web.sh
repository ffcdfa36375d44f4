#!/usr/bin/env bash
# Lints, formats and type-checks the JavaScript in web/ with the tools of web/package-lock.json.
# Usage: scripts/check_web.sh [format]   with "format" it also repairs what it can.
set -euo pipefail
cd "$(dirname "$0")/../web"

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
if ! command -v npm >/dev/null; then
  if ! command -v apt-get >/dev/null; then
    echo "The checks need npm (Node.js 20 or newer); install it first" >&2
    exit 1
  fi
  echo "Installing npm for the checks ..."
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends npm >/dev/null
fi
stamp=node_modules/.ready
if [ ! -e "$stamp" ] || [ package-lock.json -nt "$stamp" ]; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  touch "$stamp"
fi
if [ "${1:-}" = format ]; then npm run --silent format; fi
npm run --silent check
