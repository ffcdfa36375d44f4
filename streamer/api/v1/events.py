"""Server-sent events of a picture that is being drawn, as OpenAI's clients read them. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping

EVERY_S = 10.0
"""How often a comment is sent while nothing happens, so that no proxy takes the connection for dead."""
COMMENT = b": still waiting\n\n"
MEDIA_TYPE = "text/event-stream"
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


def event(content: Mapping[str, object]) -> bytes:
    """Write one event; its name is the ``type`` of its content."""
    return f"event: {content['type']}\ndata: {json.dumps(content)}\n\n".encode()


def failure(error: Mapping[str, object]) -> bytes:
    """Write the event that ends a stream without a picture; ``error`` is the body of an error's answer."""
    return event({"type": "error", **error})


def partial_steps(steps: int, partial_images: int) -> list[int]:
    """Choose from which steps (from 1) on the partial images are sent: spread over the drawing, none at its end."""
    count = min(partial_images, max(0, steps - 1))
    return [round((number + 1) * steps / (count + 1)) for number in range(count)]
