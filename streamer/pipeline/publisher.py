"""Publishes updates to the pages, notifies the outputs, and records how every request ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence

from streamer import logs
from streamer.interfaces import Health, Output
from streamer.moderation.air_gate import ClearedFrame
from streamer.overlay.hub import Hub
from streamer.pipeline.metrics import Metrics
from streamer.pipeline.outbox import Outbox
from streamer.pipeline.stage import Stage
from streamer.storage.store import Store
from streamer.text import without_isolates
from streamer.types import (
    Answer,
    Clear,
    Ended,
    Event,
    ImageRequest,
    Refusal,
    RequestState,
    Shown,
    StageCommand,
    Toast,
    Update,
)

TOAST_S = 4.0
requests_log = logging.getLogger(logs.REQUESTS)


class Publisher:
    """The way out. ``version`` counts the changes that a panel would show; ``changed`` is set with each."""

    def __init__(
        self,
        hub: Hub,
        stage: Stage,
        store: Store,
        metrics: Metrics,
        outputs: Sequence[Output],
        channel: str = "",
    ) -> None:
        self._channel = channel
        self._hub, self._stage, self._store, self._metrics = hub, stage, store, metrics
        self._outboxes = [Outbox(output) for output in outputs]
        self._listeners: list[Callable[[Event], None]] = [outbox.put for outbox in self._outboxes]
        self.changed = asyncio.Event()
        self.version = 0

    def mark_dirty(self) -> None:
        """Note that something changed which a panel shows or the timer waits for."""
        self.version += 1
        self.changed.set()

    def publish(self, event: Shown) -> None:
        """Send an event to the pages at once and to the outputs soon."""
        self._hub.publish(event)
        self.notify(event)
        self.mark_dirty()

    def notify(self, event: Event) -> None:
        """Send an event to the outputs soon, and to no page."""
        for listener in self._listeners:
            listener(event)

    def subscribe(self, listener: Callable[[Event], None]) -> None:
        """Call ``listener`` with every later event that the outputs get; it must not block."""
        self._listeners.append(listener)

    async def notified(self) -> None:
        """Wait until the outputs have handled every event so far."""
        await asyncio.gather(*(outbox.flushed() for outbox in self._outboxes))

    def faults(self) -> list[Health]:
        """Return what is wrong with outputs, as far as it shows from outside."""
        return [fault for outbox in self._outboxes if (fault := outbox.fault()) is not None]

    def answer(self, command: StageCommand, text: str, seconds: float = TOAST_S) -> None:
        """Answer a stage command on the overlay and, through the outputs, where it was typed."""
        self.publish(Toast(command.trigger_id, text, seconds))
        self.answer_privately(command, text)

    def answer_privately(self, command: StageCommand, text: str) -> None:
        """Answer a stage command where it was typed, and not on the overlay."""
        # Chat sets each message by its own rules.
        self.notify(Answer(command.trigger_id, command.source, command.actor, without_isolates(text)))

    def show(self, updates: Iterable[Update]) -> None:
        """Publish what the stage decided, and record what each layer shows for a restart."""
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
        """Count a request that was not accepted, and let a panel see it."""
        self._metrics.refused(refusal.rule)
        self.mark_dirty()

    def end(self, requests: Sequence[ImageRequest], state: RequestState, rule: str, reason: str) -> None:
        """End accepted requests without a picture, and say why."""
        if requests:
            self._store.requests.end([request.id for request in requests], state, rule=rule, reason=reason)
        for request in requests:
            self._count_end(request, state, rule)
            self.publish(Refusal(request.id, rule, reason))
            self.notify(Ended(request, state, rule, reason))

    def end_shown(
        self, request: ImageRequest, followers: Sequence[ImageRequest], draw_ms: float, total_ms: float
    ) -> None:
        """End a request whose picture is on air, together with those who joined it."""
        served = [request, *followers]
        self._store.requests.end([one.id for one in served], RequestState.SHOWN, draw_ms=draw_ms, total_ms=total_ms)
        for one in served:
            self._count_end(one, RequestState.SHOWN, total_s=round(total_ms / 1000, 3))
            self.notify(Ended(one, RequestState.SHOWN))

    def _count_end(self, request: ImageRequest, state: RequestState, rule: str = "", total_s: object = "") -> None:
        """Count an end, and log it without the reason: that may repeat what was typed."""
        self._metrics.ended(state)
        facts = logs.known(
            request=request.id, channel=self._channel, source=request.source, layer=request.layer, rule=rule,
            total_s=total_s,
        )  # fmt: skip
        requests_log.info("request ended: %s", state, extra={"facts": facts})

    async def run(self) -> None:
        """Deliver events to every output, each at its own pace, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for outbox in self._outboxes:
                tasks.create_task(outbox.run())

    def _stays(self, layer: str) -> bool:
        return any(shown.layer == layer and shown.until is None for shown in self._stage.snapshot())
