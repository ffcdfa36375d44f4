"""A backend that waits like a GPU and hands out one prepared JPEG of 200 KB: what is left to measure is the way.

``hang`` as a prompt never comes back; every other prompt takes ``step_s`` for each step, with a preview each.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from streamer.generator.backend import BackendPicture, Pixels, Report, StepCallback
from streamer.types import ImageRequest

JPEG_BYTES = 200_000


class Options(BaseModel):
    """How long a step takes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step_s: float = Field(0.04, ge=0)


class PreparedPicture:
    """A picture that is there already, encoded."""

    width, height = 64, 48

    def __init__(self, array: Pixels, data: bytes) -> None:
        self._array, self._data = array, data

    def pixels(self) -> Pixels:
        """Return a few pixels, for judges."""
        return self._array

    def jpeg(self, quality: int) -> bytes | None:
        """Return the prepared bytes."""
        return self._data


class TimedBackend:
    """Wait in place of drawing."""

    def __init__(self, options: Options) -> None:
        self._options = options
        noise = np.random.default_rng(1)
        self._preview = np.broadcast_to(np.linspace(0, 255, 64, dtype=np.uint8)[None, :, None], (48, 64, 3)).copy()
        data = b"\xff\xd8" + noise.bytes(JPEG_BYTES)
        self._picture = PreparedPicture(noise.integers(0, 256, (48, 64, 3), dtype=np.uint8), data)

    def load(self, report: Report) -> None:
        """Load nothing."""

    def warm_up(self, sizes: Sequence[tuple[int, int]], report: Report) -> None:
        """Be warm."""

    def draw(self, request: ImageRequest) -> Iterator[StepCallback | BackendPicture]:
        """Wait, step by step."""
        steps = request.params.num_inference_steps
        for step in range(1, steps + 1):
            time.sleep(600 if request.prompt == "hang" else self._options.step_s)
            yield StepCallback(step, steps, self._preview)
        yield self._picture

    def active(self) -> dict[str, str]:
        """Name nothing."""
        return {}

    def close(self) -> None:
        """Free nothing."""


def create(options: Options) -> TimedBackend:
    """Build the backend."""
    return TimedBackend(options)
