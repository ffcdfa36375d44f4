"""Puts updates on the pages, tells the outputs, and writes down how every request ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from streamer.interfaces import Output
from streamer.moderation.air_gate import ClearedFrame
from streamer.overlay.hub import Hub
from streamer.pipeline.metrics import Metrics
from streamer.pipeline.outbox import Outbox
from streamer.pipeline.stage import Stage
from streamer.storage.store import Store
from streamer.types import Clear, Ended, Event, ImageRequest, Refusal, RequestState, Shown, Update


class Publisher:
    """The way out. ``version`` counts what a panel could see change; ``changed`` is set with it."""

    def __init__(self, hub: Hub, stage: Stage, store: Store, metrics: Metrics, outputs: Sequence[Output]) -> None:
        self._hub, self._stage, self._store, self._metrics = hub, stage, store, metrics
        self._outboxes = [Outbox(output) for output in outputs]
        self.changed = asyncio.Event()
        self.version = 0

    def touch(self) -> None:
        """Say that something changed which a panel shows or a timer waits for."""
        self.version += 1
        self.changed.set()

    def publish(self, event: Shown) -> None:
        """Tell the pages at once and the outputs soon."""
        self._hub.publish(event)
        self.tell(event)
        self.touch()

    def tell(self, event: Event) -> None:
        """Tell the outputs soon, and the pages nothing."""
        for outbox in self._outboxes:
            outbox.put(event)

    async def told(self) -> None:
        """Return when the outputs have dealt with everything that they were to be told until now."""
        await asyncio.gather(*(outbox.told() for outbox in self._outboxes))

    def show(self, updates: Iterable[Update]) -> None:
        """Publish what the stage decided, and note what each layer shows for a restart."""
        for update in updates:
            self.publish(update)
            if isinstance(update, Clear):
                self._store.pictures.clear_on_air(update.layer)
                self._store.audit.went_off_air(update.layer)
            elif isinstance(update, ClearedFrame):
                self._store.audit.went_on_air(update, update.verdict_id)
                if self._stays(update.layer):
                    self._store.pictures.set_on_air(update.layer, update.request_id)

    def refuse(self, refusal: Refusal) -> None:
        """Count what was not accepted, and let a panel see it."""
        self._metrics.refused(refusal.rule)
        self.touch()

    def end(self, requests: Sequence[ImageRequest], state: RequestState, rule: str, reason: str) -> None:
        """Bring accepted requests to their one end without a picture, and tell why."""
        if requests:
            self._store.requests.end([request.id for request in requests], state, rule=rule, reason=reason)
        for request in requests:
            self._metrics.ended(state)
            self.publish(Refusal(request.id, rule, reason))
            self.tell(Ended(request, state, rule, reason))

    def shown(self, request: ImageRequest, followers: Sequence[ImageRequest], draw_ms: float, total_ms: float) -> None:
        """Bring a request and those who joined it to the end they wished for."""
        served = [request, *followers]
        self._store.requests.end([one.id for one in served], RequestState.SHOWN, draw_ms=draw_ms, total_ms=total_ms)
        for one in served:
            self._metrics.ended(RequestState.SHOWN)
            self.tell(Ended(one, RequestState.SHOWN))

    async def tell_all(self) -> None:
        """In: every event. Out: the outputs, each at its own pace."""
        async with asyncio.TaskGroup() as tasks:
            for outbox in self._outboxes:
                tasks.create_task(outbox.run())

    def _stays(self, layer: str) -> bool:
        return any(shown.layer == layer and shown.until is None for shown in self._stage.snapshot())
