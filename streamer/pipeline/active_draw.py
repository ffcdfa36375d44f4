"""The request that is being drawn: its previews go to the pages, its frame comes back, unless it is cancelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace

from streamer.interfaces import Generator, Lease
from streamer.overlay.hub import Hub
from streamer.pipeline.draw_times import SOON_S, DrawTimes, due_in_s
from streamer.pipeline.stage import Stage
from streamer.types import Frame, ImageRequest, Lane, Preview

OnPreview = Callable[[Preview], None]


class ActiveDraw:
    """Know what is being drawn now, and whether anybody still wants it."""

    def __init__(self, generator: Generator, stage: Stage, hub: Hub, now: Callable[[], float]) -> None:
        self._generator, self._stage, self._hub, self._now = generator, stage, hub, now
        self._cancelled: str | None = None
        self._preempted = False
        self.draw_times = DrawTimes()
        self.since = 0.0
        """When the drawing began, in monotonic seconds."""
        self.request: ImageRequest | None = None
        self.steps_left = 0
        """How many steps are left of the picture being drawn, as far as is known; 0 when it is finished."""

    @contextmanager
    def of(self, request: ImageRequest) -> Iterator[None]:
        """Count a request as being drawn until it is on air, held or ended; it can be cancelled until then."""
        self.since = self._now()
        self.request, self._cancelled, self._preempted = request, None, False
        self.steps_left = request.params.num_inference_steps
        try:
            yield
        finally:
            self.request = None

    async def frame(self, lease: Lease, request: ImageRequest, on_preview: OnPreview) -> Frame | None:
        """Draw, and hand on each preview; return the frame, or None when the request was cancelled.

        Raises BackendError when the picture could not be drawn.
        """
        if not self.wanted(request):
            return None  # cancelled while something was looked up for it
        self.draw_times.drawn_by(lease.active.get("backend", ""))
        async with aclosing(lease.draw(request)) as updates:
            async for update in updates:
                if not self.wanted(request):
                    return None
                if isinstance(update, Frame):
                    self.steps_left = 0
                    return update
                self.steps_left = update.steps - update.step
                on_preview(update)
        return None

    def publish_preview(self, request: ImageRequest, preview: Preview, line: str) -> None:
        """Send a preview to the pages, with ``line`` beside it.

        A picture that is due soon has none: what is on air stays, and the picture takes its place.
        """
        usual_s = self.draw_times.usual_s(request)
        due_s = due_in_s(usual_s, self._now() - self.since, preview.step, preview.steps)
        if due_s >= SOON_S:
            self._hub.publish(replace(preview, line=line, due_s=due_s))

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
        """Tell whether the request may still go on air: a clear or a panic since it was asked for wins.

        A private one is wanted until it is cancelled, as a panic does.
        """
        return self._cancelled != request.id and self._accepted(request)

    def waits_again(self, request: ImageRequest) -> bool:
        """Tell whether a stopped request was only preempted and may still go on air later."""
        return self._preempted and self._accepted(request)

    def _stop(self) -> None:
        if self.request is not None:
            self._cancelled = self.request.id
            self._generator.cancel(self.request.id)

    def _accepted(self, request: ImageRequest) -> bool:
        return request.priority is Lane.PRIVATE or self._stage.accepts(request.layer, request.at)
