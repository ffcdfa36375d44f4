"""The demo: a recorded chat evening with the user's own look and backend, which touches nothing outside itself."""

from __future__ import annotations

import atexit
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from streamer import server
from streamer.config import Config, ServerConfig, Use
from streamer.errors import ListenError
from streamer.generator.backend_choice import choose
from streamer.moderation.approval import ApprovalOptions
from streamer.paths import Place
from streamer.storage import instance_lock
from streamer.triggers.replay import RecordedLine

PORTS = 20
"""How many ports are tried, from the configured one on."""


@contextmanager
def set_apart(where: Place) -> Iterator[Place]:
    """Give the demo a state folder of its own, which is deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="streamer-demo-", ignore_cleanup_errors=True) as folder:
        # Once more when the threads have ended: after an early Ctrl-C the database's may still be creating its file.
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        # The server has its own handler as soon as it runs.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        yield replace(where, home=Path(folder))


def listen(options: ServerConfig) -> tuple[socket.socket, ServerConfig]:
    """Bind the configured address, or the next free port beside a program that has it.

    Raises ListenError when none is free.
    """
    try:
        return server.listen(options.host, options.port), options
    except ListenError:
        for port in range(options.port + 1, min(options.port + PORTS, 65536)):
            with suppress(ListenError):
                # The public address leads to whatever has the configured port.
                changes = {"port": port, "public_url": None}
                return server.listen(options.host, port), options.model_copy(update=changes)
        raise


PAID_BACKENDS = frozenset({"openai_images"})
"""Backends that draw elsewhere: a demo sends no prompts there, and costs nothing."""


def demo_config(config: Config, address: ServerConfig, *, gpu_taken: bool) -> Config:
    """Leave out of a config whatever reaches other programs or people, or waits for a moderator."""
    generator = config.generator
    backend = choose(generator.use).name
    if backend in PAID_BACKENDS or (gpu_taken and (generator.slots or backend != "procedural")):
        generator = generator.model_copy(update={"use": "procedural", "slots": ()})
    alone: dict[str, object] = {
        "triggers": (),
        "outputs": (),
        "events": (),
        "when": {},
        "obs": None,
        "approval": ApprovalOptions(),
    }
    return config.model_copy(update={"server": address, "generator": generator, **alone})


def gpu_taken(where: Place) -> bool:
    """Tell whether a program that may use the GPU runs beside the demo."""
    return instance_lock.running_program(where.home) is not None


def source(path: str, speed: float) -> Use:
    """Return the source that replays the recording, again and again."""
    return Use.model_validate({"use": "replay", "path": path, "speed": speed, "loop": True})


def program_note(lines: Sequence[RecordedLine], name: str, speed: float) -> str:
    """Say what is played, and for how long."""
    minutes = lines[-1].at / speed / 60
    lasts = f"{minutes:.0f} minutes" if minutes >= 2 else f"{minutes * 60:.0f} seconds"
    return f"{name}: {len(lines)} chat lines in {lasts}, then again from the start"
