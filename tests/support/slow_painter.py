"""The built-in painter on a machine that is too slow for it: each step takes as long as its options say."""

from __future__ import annotations

import time
from collections.abc import Iterator

from pydantic import Field

from streamer.generator.backend import BackendPicture, StepCallback
from streamer.generator.backends import procedural
from streamer.types import ImageRequest


class Options(procedural.Options):
    """How long a step takes at least."""

    step_s: float = Field(1.0, ge=0)


class SlowPainter(procedural.ProceduralBackend):
    """Paint the same pictures, slowly."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._step_s = options.step_s

    def draw(self, request: ImageRequest) -> Iterator[StepCallback | BackendPicture]:
        for item in super().draw(request):
            if isinstance(item, StepCallback):
                time.sleep(self._step_s)
            yield item


def create(options: Options) -> SlowPainter:
    return SlowPainter(options)
