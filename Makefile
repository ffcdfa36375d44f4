# The verbs of this project; people and CI use the same ones.
.PHONY: help setup run demo test check bench doctor gallery
PY := .venv/bin/python

help:  ## list the verbs
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup:  ## make .venv and install the program (with the extra [klein] where there is an NVIDIA GPU)
	@scripts/setup.sh

run: setup  ## start the program: overlay, panel, chat
	@exec .venv/bin/streamer run

demo: setup  ## play a recorded chat evening on an overlay of its own; nothing of it is kept
	@exec .venv/bin/streamer demo

doctor: setup  ## say what is installed, what would draw and why, and how to fix what is not right
	@.venv/bin/streamer doctor

test:  ## install what the tests need and run them all (KLEIN=1: the engine's tests as well, needs torch)
	@scripts/test.sh

check:  ## lint, types, import contracts, security, twin tests
	@scripts/check.sh

bench:  ## measure what needs no GPU; each bench prints one JSON line last
	@scripts/bench.sh

gallery: setup  ## paint the sheets of pictures for human eyes into gallery/
	@$(PY) -m bench.gallery --out gallery
