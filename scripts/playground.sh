#!/usr/bin/env bash
# Makes .venv-playground for the tests of the playground: Gradio needs an older Pillow than the other tests run with.
# It lies over .venv, so that only what differs is installed (about 190 MB, of which Gradio and pandas are 84 each).
set -euo pipefail
cd "$(dirname "$0")/.."

stamp=.venv-playground/.ready
if [ -f "$stamp" ] && [ "$stamp" -nt pyproject.toml ]; then exit 0; fi
echo "Installing Gradio for the tests of the playground ..."
.venv/bin/python -m venv --clear .venv-playground
site='import site; print(site.getsitepackages()[0])'
.venv/bin/python -c "$site" >"$(.venv-playground/bin/python -c "$site")/below.pth"
gradio=$(.venv/bin/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["playground"])')
.venv-playground/bin/pip install --quiet --disable-pip-version-check $gradio
touch "$stamp"
