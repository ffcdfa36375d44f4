"""Takes one request at a time through the generator: previews go out, the frame comes back, unless called off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing, contextmanager

from streamer.contracts import Generator
from streamer.overlay.hub import Hub
from streamer.stage import Stage
from streamer.types import Frame, ImageRequest, Preview

# Measured without a GPU at 1920x1080: a preview on its way puts the finished picture off from 12 to 30 ms (median).
PREVIEW_FOR_S = 0.15


class Drawing:
    """What is being drawn now, and whether anybody still wants it."""

    def __init__(self, generator: Generator, stage: Stage, hub: Hub) -> None:
        self._generator, self._stage, self._hub = generator, stage, hub
        self._called_off: str | None = None
        self._usual_s: dict[tuple[int, int], float] = {}
        self.request: ImageRequest | None = None

    @contextmanager
    def of(self, request: ImageRequest) -> Iterator[None]:
        """Count a request as being drawn until it is on air, held or ended: so long it can be called off."""
        self.request, self._called_off = request, None
        try:
            yield
        finally:
            self.request = None

    async def frame(self, request: ImageRequest, *, seen: bool = True) -> Frame | None:
        """Pass previews on to the pages, if it may be seen, and return the frame; None when the request was called off.

        Raises BackendError when it could not be drawn.
        """
        async with aclosing(self._generator.draw(request)) as updates:  # type: ignore[type-var]
            async for update in updates:
                if not self.wanted(request):
                    return None
                if isinstance(update, Frame):
                    return update
                if seen and self._worth_showing(request, update):
                    self._hub.publish(update)
        return None

    def call_off(self) -> None:
        """Stop what is being drawn at its next step."""
        if self.request is not None:
            self._called_off = self.request.id
            self._generator.cancel(self.request.id)

    def wanted(self, request: ImageRequest) -> bool:
        """Tell whether the request may still go on air: a clear or a panic since it was asked for wins."""
        return self._called_off != request.id and self._stage.accepts(request.layer, request.at)

    def took(self, request: ImageRequest, seconds: float) -> None:
        """Remember how long a picture of this size takes."""
        self._usual_s[request.params.width, request.params.height] = seconds

    def _worth_showing(self, request: ImageRequest, preview: Preview) -> bool:
        """Leave previews out when the picture itself is about to come: painting one would only delay it."""
        usual_s = self._usual_s.get((request.params.width, request.params.height))
        return usual_s is None or usual_s * (1 - preview.step / preview.steps) >= PREVIEW_FOR_S
