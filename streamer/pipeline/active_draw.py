"""The request that is being drawn: its previews go to the pages, its frame comes back, unless it is cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing, contextmanager

from streamer.interfaces import Generator
from streamer.overlay.hub import Hub
from streamer.pipeline.stage import Stage
from streamer.types import Frame, ImageRequest, Preview

# Measured without a GPU at 1920x1080: a preview on its way delays the finished picture from 12 to 30 ms (median).
PREVIEW_FOR_S = 0.15


class ActiveDraw:
    """Know what is being drawn now, and whether anybody still wants it."""

    def __init__(self, generator: Generator, stage: Stage, hub: Hub) -> None:
        self._generator, self._stage, self._hub = generator, stage, hub
        self._cancelled: str | None = None
        self._preempted = False
        self._usual_draw_s: dict[tuple[int, int], float] = {}
        self.request: ImageRequest | None = None
        self.steps_left = 0
        """How many steps are left of the picture being drawn, as far as is known; 0 when it is finished."""

    @contextmanager
    def of(self, request: ImageRequest) -> Iterator[None]:
        """Count a request as being drawn until it is on air, held or ended; it can be cancelled until then."""
        self.request, self._cancelled, self._preempted = request, None, False
        self.steps_left = request.params.num_inference_steps
        try:
            yield
        finally:
            self.request = None

    async def frame(self, request: ImageRequest, *, seen: bool = True) -> Frame | None:
        """Send previews to the pages if they may be ``seen``; return the frame, or None when the request was cancelled.

        Raises BackendError when the picture could not be drawn.
        """
        if not self.wanted(request):
            return None  # cancelled while something was looked up for it
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

    def cancel(self, request_id: str | None = None) -> bool:
        """Stop what is being drawn at its next step, for good; False when that is not ``request_id``, if given."""
        if self.request is None or request_id not in (None, self.request.id):
            return False
        self._preempted = False
        self._stop()
        return True

    def preempt(self) -> None:
        """Stop what is being drawn at its next step, to be drawn again later; a cancellation meanwhile wins."""
        if self.request is not None and self._cancelled is None:
            self._preempted = True
            self._stop()

    def wanted(self, request: ImageRequest) -> bool:
        """Tell whether the request may still go on air: a clear or a panic since it was asked for wins."""
        return self._cancelled != request.id and self._accepted(request)

    def waits_again(self, request: ImageRequest) -> bool:
        """Tell whether a stopped request was only preempted and may still go on air later."""
        return self._preempted and self._accepted(request)

    def note_duration(self, request: ImageRequest, seconds: float) -> None:
        """Remember how long a picture of this size takes."""
        self._usual_draw_s[request.params.width, request.params.height] = seconds

    def _stop(self) -> None:
        if self.request is not None:
            self._cancelled = self.request.id
            self._generator.cancel(self.request.id)

    def _accepted(self, request: ImageRequest) -> bool:
        return self._stage.accepts(request.layer, request.at)

    def _worth_showing(self, request: ImageRequest, preview: Preview) -> bool:
        """Leave a preview out when the picture itself is due soon: painting it would only delay the picture."""
        usual_s = self._usual_draw_s.get((request.params.width, request.params.height))
        return usual_s is None or usual_s * (1 - preview.step / preview.steps) >= PREVIEW_FOR_S
