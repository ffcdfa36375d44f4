"""Binds the address the program listens on, or says who has it."""

from __future__ import annotations

import os
import socket
import urllib.request
from contextlib import suppress

from streamer.errors import ListenError

OURS = "another streamer is already running there"


def listen(host: str, port: int) -> socket.socket:
    """Bind the address, or say who has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio switches Nagle's delay off only where it is: left at 0, two messages in a
    # row (a picture and its toast) cost the second one 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise ListenError(host, port, _who_has(host, port) or error.strerror or str(error)) from error
    return bound


def _who_has(host: str, port: int) -> str | None:
    with suppress(OSError, ValueError):
        with urllib.request.urlopen(f"http://{printable(host)}:{port}/healthz", timeout=1) as answer:  # nosec B310
            if b'"streamer"' in answer.read(200):
                return OURS
        return "another program answers there"
    return None


def printable(host: str) -> str:
    """Write a host as it stands in a link: one that answers, and IPv6 in brackets."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # nosec B104
    return f"[{name}]" if ":" in name and not name.startswith("[") else name
