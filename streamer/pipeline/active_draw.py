"""Takes one request at a time through the generator: previews go out, the frame comes back, unless called off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing, contextmanager

from streamer.interfaces import Generator
from streamer.overlay.hub import Hub
from streamer.pipeline.stage import Stage
from streamer.types import Frame, ImageRequest, Preview

# Measured without a GPU at 1920x1080: a preview on its way puts the finished picture off from 12 to 30 ms (median).
PREVIEW_FOR_S = 0.15


class ActiveDraw:
    """What is being drawn now, and whether anybody still wants it."""

    def __init__(self, generator: Generator, stage: Stage, hub: Hub) -> None:
        self._generator, self._stage, self._hub = generator, stage, hub
        self._called_off: str | None = None
        self._makes_way = False
        self._usual_s: dict[tuple[int, int], float] = {}
        self.request: ImageRequest | None = None
        self.steps_left = 0
        """How many steps the picture being drawn has before it, as far as is known; 0 once it is there."""

    @contextmanager
    def of(self, request: ImageRequest) -> Iterator[None]:
        """Count a request as being drawn until it is on air, held or ended: so long it can be called off."""
        self.request, self._called_off, self._makes_way = request, None, False
        self.steps_left = request.params.num_inference_steps
        try:
            yield
        finally:
            self.request = None

    async def frame(self, request: ImageRequest, *, seen: bool = True) -> Frame | None:
        """Pass previews on to the pages, if it may be seen, and return the frame; None when the request was called off.

        Raises BackendError when it could not be drawn.
        """
        if not self.wanted(request):
            return None  # called off while something else was looked up for it
        async with aclosing(self._generator.draw(request)) as updates:  # type: ignore[type-var]
            async for update in updates:
                if not self.wanted(request):
                    return None
                if isinstance(update, Frame):
                    self.steps_left = 0
                    return update
                self.steps_left = update.steps - update.step
                if seen and update.data and self._worth_showing(request, update):
                    self._hub.publish(update)
        return None

    def call_off(self) -> None:
        """Stop what is being drawn at its next step, for good."""
        self._makes_way = False
        self._stop()

    def make_way(self) -> None:
        """Stop what is being drawn at its next step, to be drawn later; whoever calls it off meanwhile wins."""
        if self.request is not None and self._called_off is None:
            self._makes_way = True
            self._stop()

    def wanted(self, request: ImageRequest) -> bool:
        """Tell whether the request may still go on air: a clear or a panic since it was asked for wins."""
        return self._called_off != request.id and self._accepted(request)

    def waits_again(self, request: ImageRequest) -> bool:
        """Tell whether a request that was stopped only made way and may still go on air later."""
        return self._makes_way and self._accepted(request)

    def took(self, request: ImageRequest, seconds: float) -> None:
        """Remember how long a picture of this size takes."""
        self._usual_s[request.params.width, request.params.height] = seconds

    def _stop(self) -> None:
        if self.request is not None:
            self._called_off = self.request.id
            self._generator.cancel(self.request.id)

    def _accepted(self, request: ImageRequest) -> bool:
        return self._stage.accepts(request.layer, request.at)

    def _worth_showing(self, request: ImageRequest, preview: Preview) -> bool:
        """Leave previews out when the picture itself is about to come: painting one would only delay it."""
        usual_s = self._usual_s.get((request.params.width, request.params.height))
        return usual_s is None or usual_s * (1 - preview.step / preview.steps) >= PREVIEW_FOR_S
