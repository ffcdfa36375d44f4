"""Draws in a process on this computer, with the backend of ``generator.use``: what the program does by itself."""

from __future__ import annotations

from streamer.generator.config import WorkerSetup
from streamer.generator.slot import THIS_COMPUTER, SlotOptions
from streamer.generator.supervisor import Supervisor


class Options(SlotOptions):
    """What can be configured; the backend and its process have sections of their own."""


def create(options: Options, worker_setup: WorkerSetup) -> Supervisor:
    """Build the parent of the process."""
    return Supervisor(worker_setup, options.place(THIS_COMPUTER.name, here=True))
