#!/usr/bin/env bash
# Installs everything the tests need (a browser and a virtual screen included) and runs them.
# KLEIN=1 adds the engine's tests; STREAMER_REQUIRE_BROWSERS=1 makes a missing old Chromium a failure, and
# STREAMER_REQUIRE_OBS=1 a missing OBS.
set -euo pipefail
cd "$(dirname "$0")/.."

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
missing=()
command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
command -v Xvfb >/dev/null || missing+=(xvfb)
command -v xdotool >/dev/null || missing+=(xdotool)
command -v setxkbmap >/dev/null || missing+=(x11-xkb-utils xkb-data)
command -v npm >/dev/null || missing+=(npm)
# Hotkeys are tested with pynput, whose part for Linux (evdev) comes as source only.
command -v gcc >/dev/null || missing+=(gcc libc6-dev linux-libc-dev)
headers=$("${PYTHON:-python3}" -c 'import sysconfig; print(sysconfig.get_path("include"))' 2>/dev/null || true)
[ -e "$headers/Python.h" ] || missing+=(python3-dev)
command -v obs >/dev/null || missing+=(obs-studio)
# Debian's OBS has no browser source; the tests build a stand-in for it.
command -v gcc >/dev/null || missing+=(gcc libc6-dev)
[ -e /usr/include/obs/obs-module.h ] || missing+=(libobs-dev)
# Without recommended packages a browser may come without a single font, and captions need one.
[ -n "$(fc-list 2>/dev/null | head -n 1)" ] || missing+=(fontconfig fonts-dejavu-core)
if [ ${#missing[@]} -gt 0 ]; then
  if command -v apt-get >/dev/null; then
    echo "Installing for the tests: ${missing[*]} ..."
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "The tests need: ${missing[*]}; install them first" >&2
    exit 1
  fi
fi
# With the engine's tests come those of OpenVINO: 59 MB and three seconds more.
KLEIN=${KLEIN:-} scripts/setup.sh "test,hotkey,midi$([ "${KLEIN:-}" = 1 ] && echo ,cpu)"
scripts/playground.sh
.venv/bin/python scripts/browsers.py

# One process more than there are cores: many tests wait for programs and browsers. Tests of one file stay together,
# since they share programs.
# One thread each for numpy and torch: more of them fight over the same cores.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
workers=$(($(getconf _NPROCESSORS_ONLN) + 1))
exec .venv/bin/python -m pytest --numprocesses "$workers" --maxprocesses 4 --dist loadfile "$@"
