"""A virtual screen for tests, with keys that are really pressed."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import pytest


def need_keys() -> None:
    """Skip where nobody can press keys, saying what to install."""
    if find_spec("pynput") is None:
        pytest.skip('pynput is not installed: pip install "streamer-live[hotkey]"')
    if not (shutil.which("Xvfb") and shutil.which("xdotool")):
        pytest.skip("needs Xvfb and xdotool to press real keys")


def need_layouts() -> None:
    """Skip where the keyboard layout cannot be changed, saying what to install."""
    if not (shutil.which("setxkbmap") and shutil.which("xkbcomp")):
        pytest.skip("needs setxkbmap and xkbcomp (Debian: x11-xkb-utils, xkb-data) to change the keyboard layout")


@contextmanager
def virtual_display() -> Iterator[str]:
    """Run an X server of our own and give its name."""
    read, write = os.pipe()
    # Without -noreset it forgets the keyboard layout, and is deaf for a moment, whenever its last client leaves.
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "320x240x8", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    try:
        with os.fdopen(read) as number:
            yield f":{number.readline().strip()}"
    finally:
        os.close(write)
        server.terminate()
        server.wait(20)


async def press(*keys: str, display: str | None = None) -> None:
    """Let xdotool do something with the keyboard."""
    environ = os.environ if display is None else {**os.environ, "DISPLAY": display}
    process = await asyncio.create_subprocess_exec("xdotool", *keys, env=environ)
    assert await process.wait() == 0


async def set_layout(layout: str) -> None:
    """Choose the keyboard layout, or several that a key switches between."""
    process = await asyncio.create_subprocess_exec("setxkbmap", layout, "-option", "")
    assert await process.wait() == 0
