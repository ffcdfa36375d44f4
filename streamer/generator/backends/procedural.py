"""Paints prompts on the CPU with numpy and Pillow: the built-in default, and the fallback when a GPU fails."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from streamer.commands.shown import lettered
from streamer.errors import Unsupported
from streamer.generator import processor
from streamer.generator.backend import BackendPicture, HostPicture, Report, StepCallback
from streamer.generator.procedural.engine.finish import finish
from streamer.generator.procedural.engine.noise import Noise
from streamer.generator.procedural.plan.compose import stage_scene
from streamer.types import ImageRequest, RequestKind

_PREVIEW_PX = 96


class Options(BaseModel):
    """What can be configured; a picture depends on prompt, kind, size and seed alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    previews: bool = Field(
        default=True, description="show the first colours of a picture that takes more than a second"
    )


class ProceduralBackend:
    """Hold the noise tables and paint one request at a time."""

    edits = False

    def __init__(self, options: Options) -> None:
        self._options = options
        self._noise: Noise | None = None
        self._offer = ""

    def load(self, report: Report) -> None:
        """Build the noise tables, and find out whether a real model could draw on this processor instead."""
        report("making noise tables", 0.0)
        self._noise = Noise()
        if home := os.environ.get("STREAMER_HOME"):
            self._offer = processor.offer(processor.known(Path(home)))
        report("ready", 1.0)

    def warm_up(self, sizes: Sequence[tuple[int, int]], report: Report) -> None:
        """Paint one small picture: only imports and caches are cold, and neither depends on the size."""
        report("painting a first picture", 0.0)
        scene, stages = stage_scene("mountain city by the sea", "background", 128, 72, 1, self._tables())
        for stage in stages:
            stage(scene)
        finish(scene)
        report("ready", 1.0)

    def draw(self, request: ImageRequest) -> Iterator[StepCallback | BackendPicture]:
        """Yield a StepCallback after each of the request's steps, then the picture; refuse to edit one."""
        if request.reference is not None:
            raise Unsupported("edits need a GPU model; the built-in painter only draws new pictures")
        params = request.params
        scene, stages = stage_scene(
            request.prompt, request.kind, params.width, params.height, params.seed, self._tables(),
            request.words or None, lettered(request),
        )  # fmt: skip
        steps, done = max(1, params.num_inference_steps), 0
        longest = max(_PREVIEW_PX, request.preview_px)
        for step in range(1, steps + 1):
            until = len(stages) * step // steps
            for stage in stages[done:until]:
                stage(scene)
            done = until
            # A sticker has no transparency before it is finished: a preview of it would be a square.
            seen = self._options.previews and request.kind != RequestKind.STICKER
            yield StepCallback(step, steps, scene.canvas.thumbnail(longest) if seen else None)
        yield HostPicture(finish(scene))

    def active(self) -> dict[str, str]:
        """Name device, engine and precision."""
        offered = {"a real model": self._offer} if self._offer else {}
        return {"device": "cpu", "engine": "procedural", "precision": "float32", **offered}

    def close(self) -> None:
        """Free the noise tables."""
        self._noise = None

    def _tables(self) -> Noise:
        if self._noise is None:
            self._noise = Noise()
        return self._noise


def create(options: Options) -> ProceduralBackend:
    """Build the backend; load() builds its tables."""
    return ProceduralBackend(options)
