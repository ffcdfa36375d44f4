"""The loops admit, draw and deliver: how one trigger becomes pixels on air. Read this file first.

    listen -> inbox -> admit (commands, rules, scheduler) -> draw (generator) -> deliver (stage) -> hub, outputs

One event loop owns all state; whatever decides is a plain call that takes the time, and this file does the waiting.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace

from streamer.air import Air
from streamer.commands import Commands
from streamer.contracts import (
    DeskState,
    Generator,
    Happening,
    Output,
    Receipt,
    Rule,
    Source,
)
from streamer.drawing import Drawing
from streamer.errors import BackendError, StoreError, Unsupported
from streamer.intake import OPEN, PANIC, Intake
from streamer.metrics import Metrics, Step
from streamer.named import Named
from streamer.overlay.hub import Hub
from streamer.policy import judge, name_fits
from streamer.recent import Recent
from streamer.scheduler import Ending, Scheduler
from streamer.stage import Stage
from streamer.store import Store
from streamer.types import (
    Actor,
    Answer,
    Clear,
    Frame,
    ImageRequest,
    Lane,
    Press,
    Refusal,
    Refused,
    RequestState,
    Retraction,
    Role,
    StageCommand,
    Toast,
    Trigger,
    Update,
)

log = logging.getLogger(__name__)

INBOX = 2000
REMEMBERED = 20_000
AIRING = 500
LAG_EVERY_S = 0.5
# Overhead is measured on requests that were drawn at once: waiting for one's turn is meant, and no overhead.
AT_ONCE_S = 0.05


@dataclass(slots=True)
class Parts:
    """Every stage by name; app.py builds them."""

    commands: Commands
    rules: Sequence[Rule]
    scheduler: Scheduler
    stage: Stage
    store: Store
    generator: Generator
    hub: Hub
    metrics: Metrics
    sources: Sequence[Source] = ()
    outputs: Sequence[Output] = ()
    at_least_s: Mapping[str, float] = field(default_factory=dict)
    seconds: Mapping[str, float | None] = field(default_factory=dict)
    named: Named = field(default_factory=lambda: Named({}))


class Pipeline:
    """Move triggers to the air. It names every stage, which is why its constructor takes them as one value."""

    def __init__(self, parts: Parts, clock: Callable[[], float] = time.monotonic) -> None:
        self._parts, self._clock = parts, clock
        self._commands = parts.commands
        self._inbox: asyncio.Queue[Happening] = asyncio.Queue(INBOX)
        self._air = Air(parts.hub, parts.stage, parts.store, parts.metrics, parts.outputs)
        self._work = asyncio.Event()
        self._seen: Recent[str, None] = Recent(REMEMBERED)
        self._actors: Recent[str, str] = Recent(REMEMBERED)
        self._airing: Recent[str, tuple[float, float | None]] = Recent(AIRING)
        self._free_at: dict[str, float] = {}
        self._drawing = Drawing(parts.generator, parts.stage, parts.hub)
        self._intake = Intake(parts.store)

    @property
    def version(self) -> int:
        """Count the changes that a panel would show."""
        return self._air.version

    @property
    def names(self) -> tuple[str, ...]:
        """Name every trigger that ``press`` knows."""
        return self._parts.named.names

    async def restore(self) -> None:
        """Show the last background again, and stay blank and closed after a panic; await it before anybody can ask."""
        await self._intake.restore()
        kept = {frame.layer: frame for frame in await self._parts.store.on_air()}
        for layer in self._parts.hub.layers:
            shown = self._parts.stage.restore(kept[layer], self._clock()) if layer in kept else [Clear(layer)]
            for update in shown:
                # A page that kept its picture over our restart must hear of an empty layer, too.
                self._parts.hub.publish(update)

    # The loops.

    async def run(self) -> None:
        """Run every loop until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for source in self._parts.sources:
                tasks.create_task(self._listen(source), name=f"listen-{source.health().name}")
            tasks.create_task(self._admit_all(), name="admit")
            tasks.create_task(self._draw_all(), name="draw")
            tasks.create_task(self._watch_time(), name="time")
            tasks.create_task(self._watch_paints(), name="paints")
            tasks.create_task(self._air.tell_all(), name="tell")
            tasks.create_task(self._watch_lag(), name="lag")

    async def _listen(self, source: Source) -> None:
        """In: what a source yields. Out: the inbox; a full inbox makes the source wait."""
        try:
            async with aclosing(source.listen()) as events:  # type: ignore[type-var]
                async for event in events:
                    await self._inbox.put(event)
        except Exception:
            # A plug-in of anybody's: its bug must not end the show. Its health tells the panel.
            log.exception("the trigger source '%s' stopped", source.health().name)

    async def _admit_all(self) -> None:
        """In: the inbox. Out: the scheduler, or a refusal."""
        while True:
            event = await self._inbox.get()
            try:
                await self._take(event)
            except StoreError as error:
                log.error("done, but not written down: %s", error)

    async def _take(self, event: Happening) -> None:
        if isinstance(event, Trigger):
            await self.submit(event)
        elif isinstance(event, Press):
            await self.press(event)
        elif isinstance(event, Retraction):
            await self.retract(event)
        else:
            self._air.tell(event)

    async def _draw_all(self) -> None:
        """In: the scheduler, one request at a time. Out: previews and pictures on air."""
        while True:
            await self._parts.generator.ready()
            now = self._clock()
            request = self._parts.scheduler.next(now, self._may_draw)
            if request is None:
                self._work.clear()
                await _until(self._work, self._wait_for_layer(now))
            else:
                await self._draw(request)

    async def _watch_time(self) -> None:
        """Out: what has waited or stood on air too long, ended."""
        while True:
            now = self._clock()
            self._end_all(self._parts.scheduler.expire(now))
            self._show(self._parts.stage.expire(now))
            moments = [self._parts.scheduler.wakeup(now), self._parts.stage.wakeup()]
            self._air.changed.clear()
            await _until(
                self._air.changed, min((moment - now for moment in moments if moment is not None), default=None)
            )

    async def _watch_paints(self) -> None:
        """In: what pages say they painted. Out: timings."""
        async for paint in self._parts.hub.paints():
            if (times := self._airing.pop(paint.request_id)) is not None:
                asked_at, drew_s = times
                self._parts.metrics.took(Step.PAINT, (paint.at - asked_at) * 1000)
                if drew_s is not None:
                    self._parts.metrics.took(Step.OVERHEAD, (paint.at - asked_at - drew_s) * 1000)
                self._air.touch()

    async def _watch_lag(self) -> None:
        """Out: how late the loop runs."""
        while True:
            asked = self._clock()
            await asyncio.sleep(LAG_EVERY_S)
            self._parts.metrics.loop_lag(max(0.0, self._clock() - asked - LAG_EVERY_S) * 1000)

    # Admit.

    async def submit(self, trigger: Trigger) -> Receipt:
        """Take one trigger through commands, rules and scheduler; a request it makes is stored before this returns."""
        order = self._commands.interpret(trigger)
        if order is None:
            return Receipt(trigger.id, "ignored")
        self._parts.metrics.trigger(trigger.source)
        if not self._seen.put(trigger.id, None):
            return Receipt(trigger.id, "duplicate")
        if isinstance(order, StageCommand):
            return await self._obey(order)
        if isinstance(order, ImageRequest):
            return await self._admit(order, trigger)
        return self._refuse(order, trigger)

    async def press(self, press: Press) -> Receipt:
        """Do what a named trigger stands for; a second press of the same key changes pause back to resume."""
        order = self._parts.named.interpret(press)
        if order is None:
            return Receipt(press.id, "duplicate")
        if isinstance(order, Trigger):
            return await self.submit(order)
        self._parts.metrics.trigger(press.source)
        if order.action == "pause" and self._intake.paused:
            order = replace(order, action="resume")
        return await self._obey(order)

    async def _admit(self, request: ImageRequest, trigger: Trigger) -> Receipt:
        now = self._clock()
        refusal = self._intake.objection(request) or judge(self._parts.rules, request, now)
        if refusal is not None:
            return self._refuse(refusal, trigger)
        if request.kind == "edit":
            # The picture that was on air when the viewer typed, not the one when their turn comes.
            shown = self._parts.stage.current(request.layer)
            if shown is None:
                return self._refuse(Refusal(request.id, "edit", "there is no picture on air to change"), trigger)
            request = replace(request, reference=shown.data)
        submission = self._parts.scheduler.submit(request, now)
        if submission.refusal is not None:
            return self._refuse(submission.refusal, trigger)
        stored = self._parts.store.accept(request)
        self._actors.put(request.id, request.actor.id)
        self._end_all(submission.ended)
        self._parts.metrics.took(Step.ADMIT, (now - request.at) * 1000)
        self._work.set()
        self._air.touch()
        try:
            await stored
        except StoreError:
            # What cannot be written down is not accepted: nothing would be left of it after a crash.
            self._drop(lambda one: one.id == request.id, "store", "the request could not be written down")
            return Receipt(request.id, "refused", "store", "the request could not be written down")
        return Receipt(request.id, "joined" if submission.leader_id else "queued")

    async def _obey(self, command: StageCommand) -> Receipt:
        """Do what a stage command says; the answer is a toast, never a call back to chat."""
        action, layer = command.action, command.layer
        if action == "panic":
            await self.panic()
        elif action == "pause":
            await self.pause()
        elif action == "resume":
            await self.resume()
        elif action == "clear":
            await self.clear(layer)
        elif action == "next":
            self.skip()
        elif action in ("undo", "redo"):
            await (self.undo if action == "undo" else self.redo)(layer or self._newest_layer())
        elif action == "style":
            self._commands = self._commands.with_style(command.text)
            self._air.touch()
        elif action == "queue":
            self._answer(command, Toast(command.trigger_id, self._queue_line(command.actor)))
        elif action == "help":
            self._answer(command, Toast(command.trigger_id, self._commands.help(command.actor.role), seconds=8.0))
        return Receipt(command.trigger_id, "done")

    def _answer(self, command: StageCommand, toast: Toast) -> None:
        self._air.publish(toast)
        self._air.tell(Answer(command.trigger_id, command.source, command.actor, toast.text))

    def _queue_line(self, actor: Actor) -> str:
        waiting = self._parts.scheduler.pending()
        mine = self._parts.scheduler.place_of(actor.id)
        line = "nobody is waiting" if not waiting else f"{len(waiting)} waiting"
        return f"{line}, yours is number {mine}" if mine else line

    def _newest_layer(self) -> str:
        shown = self._parts.stage.snapshot()
        return max(shown, key=lambda layer: layer.since or 0.0).layer

    # Draw and deliver.

    def _may_draw(self, request: ImageRequest) -> bool:
        """Keep viewers' pictures apart, so that each is seen; the streamer's own never wait."""
        if self._intake.objection(request) is not None:
            return False
        return request.priority is Lane.BROADCASTER or self._free_at.get(request.layer, 0.0) <= self._clock()

    def _wait_for_layer(self, now: float) -> float | None:
        return min((moment - now for moment in self._free_at.values() if moment > now), default=None)

    async def _draw(self, request: ImageRequest) -> None:
        started = self._clock()
        self._parts.metrics.took(Step.QUEUE, (started - request.at) * 1000)
        self._parts.store.drawing(request.id)
        self._air.touch()
        try:
            frame = await self._drawing.frame(request)
        except BackendError as error:
            if not self._drawing.wanted(request):
                self._deliver(request, None, 0.0)
                return
            log.warning("not drawn: %s: %s", request.id, error)
            reason = str(error) if isinstance(error, Unsupported) else "the picture failed, please try again"
            self._air.end([request, *self._finish(request)], RequestState.FAILED, "generator", reason)
        else:
            self._deliver(request, frame, self._clock() - started)
        finally:
            self._air.touch()

    def _deliver(self, request: ImageRequest, frame: Frame | None, draw_s: float) -> None:
        if frame is None or not self._drawing.wanted(request):
            self._air.end(
                [request, *self._finish(request)], RequestState.CANCELLED, "cleared", "taken back before it was shown"
            )
            return
        now = self._clock()
        self._drawing.took(request, draw_s)
        updates = self._parts.stage.show(frame, request.seconds, request.at, now)
        if self._parts.hub.overlays:
            at_once = now - request.at - draw_s < AT_ONCE_S
            self._airing.put(request.id, (request.at, self._parts.generator.drew_s if at_once else None))
        self._show(updates)
        self._publish_toast(request)
        self._free_at[frame.layer] = now + self._parts.at_least_s.get(frame.layer, 0.0)
        self._parts.metrics.took(Step.DRAW, draw_s * 1000)
        self._parts.metrics.took(Step.DELIVER, (self._clock() - now) * 1000)
        self._parts.store.keep(request, frame)
        self._air.shown(request, self._finish(request), draw_s * 1000, (now - request.at) * 1000)

    def _finish(self, request: ImageRequest) -> tuple[ImageRequest, ...]:
        return self._parts.scheduler.finish(request.id)

    def _publish_toast(self, request: ImageRequest) -> None:
        if request.actor.role is not Role.BROADCASTER:
            name = request.actor.name if name_fits(self._parts.rules, request.actor.name) else "a viewer"
            self._air.publish(Toast(request.id, f"drawn for {name}"))

    # What the faces ask for; see contracts.Desk.

    async def panic(self) -> None:
        """Blank every layer, empty the queue, close the intake; all in one step, and it stays so over a restart."""
        closed = self._intake.set(PANIC)
        self._show(self._parts.stage.panic(self._clock()))
        self._drawing.call_off()
        self._drop(lambda request: True, "panic", "pictures were switched off")
        await closed

    async def pause(self) -> None:
        """Take nothing new from viewers and start no picture of theirs; what is on air stays."""
        await self._intake.pause()
        self._air.touch()

    async def resume(self) -> None:
        """Open the intake again."""
        await self._intake.set(OPEN)
        self._air.touch()
        self._work.set()

    def skip(self) -> None:
        """Let the next picture come at once, however short the one on air has been seen."""
        self._free_at.clear()
        self._work.set()

    async def clear(self, layer: str | None) -> None:
        """Take a layer (None: every layer) off the air and drop what was asked for it before."""
        self._show(self._parts.stage.clear(layer, self._clock()))
        drawing = self._drawing.request
        if drawing is not None and layer in (None, drawing.layer):
            self._drawing.call_off()
        self._drop(lambda request: layer in (None, request.layer), "cleared", "a moderator cleared the screen")

    async def undo(self, layer: str) -> bool:
        """Go back to the picture before."""
        return self._step(self._parts.stage.undo(layer, self._clock()))

    async def redo(self, layer: str) -> bool:
        """Take the last undo back."""
        return self._step(self._parts.stage.redo(layer, self._clock()))

    async def show(self, picture_id: str) -> bool:
        """Show a picture of the history again."""
        frame = await self._parts.store.frame(picture_id)
        if frame is None or frame.layer not in self._parts.hub.layers:
            return False
        now = self._clock()
        return self._step(self._parts.stage.show(frame, self._parts.seconds.get(frame.layer), now, now))

    async def cancel(self, request_id: str) -> bool:
        """End a request that waits or is being drawn."""
        drawing = self._drawing.request
        if drawing is not None and drawing.id == request_id:
            self._drawing.call_off()
            return True
        return self._drop(lambda request: request.id == request_id, "removed", "a moderator removed it") > 0

    async def retract(self, retraction: Retraction) -> None:
        """Take back what a platform took back: waiting requests, the one being drawn, and what is on air.

        A cleared chat drops what waits but leaves the air alone: moderators clear chats to tidy up.
        """
        if retraction.message_id is None and retraction.actor_id is None:
            self._drop(lambda request: request.priority is Lane.CHAT, "retracted", "the chat was cleared")
            return

        def meant(request_id: str, actor_id: str | None) -> bool:
            return request_id == retraction.message_id or (actor_id is not None and actor_id == retraction.actor_id)

        drawing = self._drawing.request
        if drawing is not None and meant(drawing.id, drawing.actor.id):
            self._drawing.call_off()
        self._drop(lambda request: meant(request.id, request.actor.id), "retracted", "the message was taken back")
        stage = self._parts.stage
        self._show(stage.retract(lambda request_id: meant(request_id, self._actors.get(request_id)), self._clock()))
        if retraction.message_id is not None:
            self._parts.store.forget_picture(retraction.message_id)

    def state(self) -> DeskState:
        """Gather what a panel shows."""
        parts = self._parts
        return DeskState(
            paused=not self._intake.open,
            style=self._commands.style,
            generator=parts.generator.health(),
            active=parts.generator.active,
            sources=tuple(source.health() for source in parts.sources),
            pages=parts.hub.overlays,
            drawing=self._drawing.request,
            pending=tuple(parts.scheduler.pending()),
            on_air={layer: frame.request_id if frame else None for layer, frame in self._on_air().items()},
            timings={step.value: times for step, times in parts.metrics.timings.summary().items()},
        )

    def exposition(self) -> bytes:
        """Bring the gauges up to date and return all metrics in Prometheus' text format."""
        metrics, now = self._parts.metrics, self._clock()
        metrics.queue_length(len(self._parts.scheduler))
        metrics.overlay_pages(self._parts.hub.overlays)
        for shown in self._parts.stage.snapshot():
            metrics.on_air_age(shown.layer, None if shown.since is None else now - shown.since)
        for cause, count in self._parts.generator.restarts.items():
            metrics.restarts(cause, count)
        return metrics.exposition()

    # Small steps.

    def _on_air(self) -> dict[str, Frame | None]:
        return {layer: self._parts.stage.current(layer) for layer in self._parts.hub.layers}

    def _drop(self, matches: Callable[[ImageRequest], bool], rule: str, reason: str) -> int:
        dropped = self._parts.scheduler.drop(matches)
        self._air.end(dropped, RequestState.CANCELLED, rule, reason)
        return len(dropped)

    def _step(self, updates: Sequence[Update]) -> bool:
        self._show(updates)
        return bool(updates)

    def _show(self, updates: Iterable[Update]) -> None:
        """Put updates on air; a layer that was cleared is free for the next picture."""
        updates = list(updates)
        self._air.show(updates)
        for update in updates:
            if isinstance(update, Clear):
                self._free_at.pop(update.layer, None)
        if updates:
            self._work.set()

    def _refuse(self, refusal: Refusal, trigger: Trigger) -> Receipt:
        self._air.refuse(refusal)
        self._air.tell(Refused(trigger, refusal))
        return Receipt(refusal.request_id, "refused", refusal.rule, refusal.reason)

    def _end_all(self, endings: Iterable[Ending]) -> None:
        for ending in endings:
            self._air.end([ending.request], ending.state, ending.refusal.rule, ending.refusal.reason)


async def _until(event: asyncio.Event, seconds: float | None) -> None:
    """Wait for the event, at most ``seconds``."""
    with suppress(TimeoutError):
        # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the event (gh-86296).
        async with asyncio.timeout(seconds):
            await event.wait()
