"""Draws in a process on this computer, with the backend of ``generator.use``: what the program does by itself."""

from __future__ import annotations

from streamer.generator.config import WorkerSetup
from streamer.generator.ladder import Ladder
from streamer.generator.slot import THIS_COMPUTER, SlotOptions


class Options(SlotOptions):
    """What can be configured; the backend and its process have sections of their own."""


def create(options: Options, worker_setup: WorkerSetup) -> Ladder:
    """Build the parent of the process, and of those that try the backend again."""
    return Ladder(worker_setup, options.place(THIS_COMPUTER.name, here=True))
