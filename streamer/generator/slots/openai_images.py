"""Draws on a server with OpenAI's images API beside other slots, or only while none of them can."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from streamer.generator.backends import openai_images
from streamer.generator.config import WorkerSetup
from streamer.generator.ipc import BackendUse
from streamer.generator.slot import SlotOptions
from streamer.generator.supervisor import Supervisor


class Options(SlotOptions, openai_images.Options):
    """Which server, as the backend of this name has it."""


def create(options: Options, worker_setup: WorkerSetup) -> Supervisor:
    """Build the parent of a process that waits for the server and judges its pictures."""
    chosen = options.model_dump(exclude=set(SlotOptions.model_fields))
    use = BackendUse("openai_images", chosen)
    # Without a fallback of its own: while the server cannot be used, the other slots draw, and the panel says why.
    setup = replace(worker_setup, backend=use, fallback=use, loras=())
    return Supervisor(setup, options.place(urlsplit(options.url).hostname or options.url, here=False))
