"""Turns what a backend yields into previews and frames, inside the generator process: judge, caption, encode."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from streamer.errors import BackendError
from streamer.generator.backend import Backend, BackendPicture, Pixels, StepCallback
from streamer.generator.judge_panel import JudgePanel
from streamer.generator.render.caption import draw_caption
from streamer.generator.render.encode import DigitalSource, encode, mark_jpeg, opaque, shrink
from streamer.types import Frame, ImageRequest, Judgement, Preview

PREVIEW_QUALITY = 80
FLAT_SPREAD = 3
"""A picture is one colour if the values of every channel lie no further apart than this."""
BLACK_MEAN, BLACK_SPREAD = 6.0, 3.0
STRUCTURE_PX = 32
STRUCTURE_SPREAD = 8.0
STRUCTURE_LIKENESS = 0.5
"""At STRUCTURE_PX, neighbouring pixels of a picture correlate at 0.66 or more, those of noise at 0.02 or less."""


@dataclass(frozen=True, slots=True)
class EncodeOptions:
    """How finished pictures are encoded: JPEG quality, IPTC source type, and the folder of the user's own layouts."""

    jpeg_quality: int = 88
    source: DigitalSource = DigitalSource.TRAINED
    own_layouts: Path | None = None


class FrameBuilder:
    """Turn one backend's steps and pictures into previews and frames; belongs to the backend's thread."""

    def __init__(
        self, backend: Backend, options: EncodeOptions | None = None, judge_panel: JudgePanel | None = None
    ) -> None:
        self._backend = backend
        self._options = options or EncodeOptions()
        self._judge_panel = judge_panel or JudgePanel()

    def draw(
        self, request: ImageRequest, heartbeat: Callable[[], None] = lambda: None
    ) -> Generator[Preview | Frame, None, None]:
        """Yield a Preview after each denoising step and the Frame last; closing cancels.

        Looking at a picture may take longer than a step: ``heartbeat`` is called after each look.
        """
        text_judgements = self._judge_panel.read(request.text)
        items = self._backend.draw(request)
        try:
            drew_s, resumed_at = 0.0, time.perf_counter()
            for item in items:
                drew_s += time.perf_counter() - resumed_at
                if not isinstance(item, StepCallback):
                    yield self._finish(request, item, drew_s, text_judgements.result, heartbeat)
                    return
                yield self._preview(request, item)
                resumed_at = time.perf_counter()
        finally:
            if isinstance(items, Generator):
                items.close()
        raise BackendError("the backend ended without a picture")

    def _preview(self, request: ImageRequest, step: StepCallback) -> Preview:
        """Shrink a step's picture to the size that the request allows: nobody has judged it yet.

        Early steps, which are noise or one colour, are not shown.
        """
        if step.pixels is None or not has_structure(step.pixels):
            return Preview(request.id, request.layer, step.step, step.steps, "", b"", 0, 0)
        small = shrink(step.pixels, request.preview_px)
        media_type, data = encode(small, PREVIEW_QUALITY, self._options.source)
        height, width = small.shape[:2]
        return Preview(request.id, request.layer, step.step, step.steps, media_type, data, width, height)

    def _finish(
        self, request: ImageRequest, picture: BackendPicture, drew_s: float,
        text_judgements: Callable[[], tuple[Judgement, ...]], heartbeat: Callable[[], None],
    ) -> Frame:  # fmt: skip
        """Judge the picture before the caption covers anything, encode it, and wait for the text judges."""
        pixels = picture.pixels()
        if is_blank(pixels):
            raise BackendError("the picture came out blank")
        began = time.perf_counter()
        image_judgements = self._judge_panel.look(pixels, heartbeat)
        looked = time.perf_counter()
        media_type, data = self._encode(request, picture, pixels)
        encoded = time.perf_counter()
        judgements = (*text_judgements(), *self._backend_judgements(), *image_judgements)
        judged_s = looked - began + time.perf_counter() - encoded
        return Frame(
            request.id,
            request.layer,
            media_type,
            data,
            picture.width,
            picture.height,
            judgements,
            drew_s,
            judged_s,
            getattr(self._backend, "left_out_words", False),
        )

    def _backend_judgements(self) -> tuple[Judgement, ...]:
        """Return the backend's own judgements of its last picture, if it offers ``opinions``."""
        opinions: Callable[[], tuple[Judgement, ...]] | None = getattr(self._backend, "opinions", None)
        return () if opinions is None else opinions()

    def _encode(self, request: ImageRequest, picture: BackendPicture, pixels: Pixels) -> tuple[str, bytes]:
        quality, source = self._options.jpeg_quality, self._options.source
        if request.caption is not None:
            return encode(draw_caption(pixels, request.caption, self._options.own_layouts), quality, source)
        device_jpeg = picture.jpeg(quality) if opaque(pixels) else None
        if device_jpeg is not None:
            return "image/jpeg", mark_jpeg(device_jpeg, source)
        return encode(pixels, quality, source)


def has_structure(pixels: Pixels) -> bool:
    """Tell whether an unfinished picture shows anything yet: its colours differ, and neighbours look alike."""
    colours = shrink(pixels, STRUCTURE_PX)[..., :3].astype(np.float32)
    colours -= colours.mean(axis=(0, 1))
    variance = float(np.square(colours).mean())
    if variance < STRUCTURE_SPREAD**2 or min(colours.shape[:2]) == 1:
        return False
    shared = (colours[1:] * colours[:-1]).mean() + (colours[:, 1:] * colours[:, :-1]).mean()
    return float(shared) / 2 >= STRUCTURE_LIKENESS * variance


def is_blank(pixels: Pixels) -> bool:
    """Tell whether a picture is one colour, fully transparent, or black noise: what NaN in a model looks like."""
    # One row per channel, a sixteenth of the pixels: 0.2 ms for 1280x720 instead of 2.4 ms pixel by pixel.
    channels = np.moveaxis(pixels[::4, ::4], 2, 0).reshape(pixels.shape[2], -1)
    colours, alpha = channels[:3], channels[3:]
    if alpha.size and not alpha.any():
        return True
    if int(np.ptp(colours, axis=1).max()) <= FLAT_SPREAD:
        # A flat colour under a shaped alpha channel (a silhouette) is a picture.
        return not alpha.size or int(np.ptp(alpha)) <= FLAT_SPREAD
    return bool(colours.mean() < BLACK_MEAN and colours.std() < BLACK_SPREAD)
