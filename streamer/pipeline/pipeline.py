"""The loops admit, draw and deliver: how one trigger becomes pixels on air. Read this file first.

    listen -> inbox -> admit (commands, rules, scheduler) -> draw (generator) -> deliver (stage) -> hub, outputs

One event loop owns all state; whatever decides is a plain call that takes the time, and this file does the waiting.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import aclosing
from dataclasses import replace

from streamer.commands.automations import automation_for
from streamer.errors import StoreError
from streamer.interfaces import Receipt, ReceiptOutcome, Running, Source, SourceEvent
from streamer.lru import LruDict
from streamer.moderation.first_time import FirstTimeChatters
from streamer.pipeline.controls import REMEMBERED, ShowParts
from streamer.pipeline.deliver import Deliver
from streamer.pipeline.game_mode import NO_CARD
from streamer.pipeline.intake import availability
from streamer.pipeline.metrics import PipelineStep
from streamer.pipeline.moderator import DECISIONS
from streamer.pipeline.scheduler import Ending
from streamer.types import (
    Availability,
    Clear,
    ImageRequest,
    KeyPress,
    Lane,
    Notice,
    NoticeKind,
    Refusal,
    RequestKind,
    Retraction,
    StageAction,
    StageCommand,
    Trigger,
)
from streamer.waiting import wait_for_event

log = logging.getLogger(__name__)

INBOX = 2000
AT_A_TIME = 32
LAG_EVERY_S = 0.5
HEALTH_EVERY_S = 0.2
DOORS_EVERY_S = 0.25


class Pipeline(Deliver):
    """Move triggers to the air; how a picture is drawn and let on air stands in ``Delivery``, what the faces ask
    for in ``Controls`` and ``Moderation``, all on the same state.
    """

    def __init__(self, parts: ShowParts, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parts, clock)
        self._inbox: asyncio.Queue[SourceEvent] = asyncio.Queue(INBOX)
        self._seen: LruDict[str, None] = LruDict(REMEMBERED)
        self._newcomers = FirstTimeChatters()

    @property
    def names(self) -> tuple[str, ...]:
        """Name every trigger that ``press`` knows."""
        return self._parts.named.names

    async def restore(self) -> None:
        """Show the last background again, and stay blank and closed after a panic; await it before anybody can ask."""
        await self._intake.restore()
        await self._bans.restore()
        await self._privacy.restore()
        if self._intake.panicked:
            # Written down already, unless the disk was full.
            for layer in self._parts.hub.layers:
                self._parts.store.pictures.clear_on_air(layer)
        found = [await self._door.again(frame.request_id) for frame in await self._parts.store.pictures.on_air()]
        kept = {frame.layer: frame for frame in found if frame is not None}
        for frame in kept.values():
            if (row := await self._parts.store.requests.get(frame.request_id)) is not None:
                self._actors.put(row.id, row.actor_id)
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
            for output in self._parts.outputs:
                if isinstance(output, Running):
                    tasks.create_task(self._live(output), name=f"output-{type(output).__name__}")
            tasks.create_task(self._admit_all(), name="admit")
            tasks.create_task(self._draw_all(), name="draw")
            tasks.create_task(self._watch_time(), name="time")
            tasks.create_task(self._watch_paints(), name="paints")
            tasks.create_task(self._air.tell_all(), name="tell")
            tasks.create_task(self._watch_doors(), name="doors")
            tasks.create_task(self._watch_lag(), name="lag")
            tasks.create_task(self._watch_generator(), name="generator-state")
            tasks.create_task(self._sweep(), name="sweep")

    async def _listen(self, source: Source) -> None:
        """In: what a source yields. Out: the inbox; a full inbox makes the source wait."""
        try:
            async with aclosing(source.listen()) as events:  # type: ignore[type-var]
                async for event in events:
                    if isinstance(event, Retraction):
                        # Overtakes the inbox: what moderators take down must not wait behind a flood.
                        await self.retract(event)
                    else:
                        await self._inbox.put(event)
        except Exception:
            # A plug-in of anybody's: its bug must not end the show. Its health tells the panel.
            log.exception("the trigger source '%s' stopped", source.health().name)

    async def _live(self, output: Running) -> None:
        """Out: what an output does by itself."""
        try:
            await output.run()
        except Exception:
            # As above.
            log.exception("the output '%s' stopped", type(output).__name__)

    async def _admit_all(self) -> None:
        """In: the inbox. Out: the scheduler, or a refusal."""
        while True:
            for _ in range(AT_A_TIME):
                event = await self._inbox.get()
                try:
                    await self._take(event)
                except StoreError as error:
                    log.error("done, but not written down: %s", error)
                except Exception:
                    # Anybody can type: a line that we stumble over must not end the show for all.
                    log.exception("one line was not taken")
            # A full inbox is taken without a single wait; everybody else wants the loop, too.
            await asyncio.sleep(0)

    async def _take(self, event: SourceEvent) -> None:
        if isinstance(event, Trigger):
            await self.submit(event)
        elif isinstance(event, KeyPress):
            await self.press(event)
        elif isinstance(event, Retraction):
            await self.retract(event)
        else:
            await self._notice(event)

    async def _notice(self, notice: Notice) -> None:
        """Let rules and outputs hear of it, and do what config.yaml says for when it happens."""
        now = self._clock()
        self._raid.hear(notice, now)
        if notice.kind in (NoticeKind.SHIELD_ON, NoticeKind.SHIELD_OFF):
            self._intake.shield(notice.kind is NoticeKind.SHIELD_ON)
        self._parts.policy.observe(notice, now)
        self._air.touch()
        self._air.tell(notice)
        if notice.kind is NoticeKind.SCENE:
            self._commands = self._commands.in_scene(self._parts.policy.style)
            self._air.touch()
        # What a scene had closed may be drawn now.
        self._work.set()
        if (typed := self._parts.occasions.trigger_for(notice)) is not None:
            await self.submit(typed)
        if name := automation_for(self._parts.when, notice):
            await self._follow(KeyPress(f"when-{uuid.uuid4()}", notice.source, name, now), toggle=False)

    async def _draw_all(self) -> None:
        """In: the scheduler, one request at a time. Out: previews and pictures on air."""
        while True:
            await self._parts.generator.ready()
            if self._parking.arrived():
                self._air.publish(NO_CARD)
            now = self._clock()
            request = self._parts.scheduler.next(now, self._may_draw)
            if request is None:
                self._work.clear()
                await wait_for_event(self._work, self._wait_for_layer(now))
            else:
                await self._draw(request)

    async def _watch_time(self) -> None:
        """Out: what has waited or stood on air too long, ended."""
        while True:
            now = self._clock()
            self._end_all(self._parts.scheduler.expire(now))
            self._show(self._parts.stage.expire(now))
            self._announce(now)
            self._expire_held(self._holds.expire(now))
            for held in self._holds.due(now):
                if self._intake.objection(held.request) or self._admission.doubted(held.request, now):
                    # Closed, or risky, since it was asked for: now a human has to look.
                    self._holds.keep(held, now)
                    self._air.touch()
                else:
                    await self._release(held, "delay")
            moments = [
                self._parts.scheduler.wakeup(now),
                self._parts.stage.wakeup(),
                self._holds.wakeup(),
                self._raid.wakeup(),
            ]
            self._air.changed.clear()
            await wait_for_event(
                self._air.changed, min((moment - now for moment in moments if moment is not None), default=None)
            )

    async def _watch_paints(self) -> None:
        """In: what pages say they painted. Out: timings."""
        async for paint in self._parts.hub.paints():
            if (times := self._airing.pop(paint.request_id)) is not None:
                asked_at, own_s = times
                self._parts.metrics.took(PipelineStep.PAINT, (paint.at - asked_at) * 1000)
                if own_s is not None:
                    self._parts.metrics.took(PipelineStep.OVERHEAD, (paint.at - asked_at - own_s) * 1000)
                self._air.touch()

    async def _watch_doors(self) -> None:
        """Out: each change of whether viewers may ask, told to the outputs."""
        told: Availability | None = None
        while True:
            generator = self._parts.generator
            now = availability(self._intake.open, generator.health(), generator.active.get("fallback"))
            if now != told:
                self._air.tell(told := now)
            await asyncio.sleep(DOORS_EVERY_S)

    async def _watch_lag(self) -> None:
        """Out: how late the loop runs."""
        while True:
            asked = self._clock()
            await asyncio.sleep(LAG_EVERY_S)
            self._parts.metrics.loop_lag(max(0.0, self._clock() - asked - LAG_EVERY_S) * 1000)

    async def _watch_generator(self) -> None:
        """Out: word to the panels that the generator's state is another: a park, a restart, a load tell nobody."""
        last = self._parts.generator.health()
        while True:
            await asyncio.sleep(HEALTH_EVERY_S)
            if (health := self._parts.generator.health()) != last:
                last = health
                self._air.touch()

    # Admit.

    async def submit(self, trigger: Trigger, *, decides: bool = True) -> Receipt:
        """Take one trigger through commands, rules and scheduler; a request it makes is stored before this returns.

        ``decides``: whoever vouches for the actor may decide about people and held pictures.
        """
        order = self._commands.interpret(trigger)
        if not isinstance(order, ImageRequest):
            self._newcomers.greeted(trigger)
        if order is None:
            return Receipt(trigger.id, ReceiptOutcome.IGNORED)
        self._parts.metrics.trigger(trigger.source)
        # Twitch may tell of one redemption twice, under two ids.
        if not self._seen.put(trigger.redemption.id if trigger.redemption else trigger.id, None):
            return Receipt(trigger.id, ReceiptOutcome.DUPLICATE)
        if self._recalled.covers(trigger):
            return self._refuse(Refusal(trigger.id, "retracted", "the message was taken back"), trigger)
        if isinstance(order, StageCommand):
            if not decides and order.action in DECISIONS:
                return self._refuse(Refusal(trigger.id, "role", "that takes a moderator's token"), trigger)
            return await self._obey(order)
        if isinstance(order, ImageRequest):
            return await self._admit(self._newcomers.marked(order), trigger)
        return self._refuse(order, trigger)

    async def press(self, press: KeyPress) -> Receipt:
        """Do what a named trigger stands for; a second press takes a pause back, or a free."""
        return await self._follow(press, toggle=True)

    async def _follow(self, press: KeyPress, toggle: bool) -> Receipt:
        order = self._parts.named.interpret(press)
        if order is None:
            return Receipt(press.id, ReceiptOutcome.DUPLICATE)
        if isinstance(order, Trigger):
            return await self.submit(order)
        self._parts.metrics.trigger(press.source)
        if toggle and order.action is StageAction.PAUSE and self._intake.paused:
            order = replace(order, action=StageAction.RESUME)
        if toggle and order.action is StageAction.FREE and self._parking.parked:
            order = replace(order, action=StageAction.WARM)
        return await self._obey(order)

    async def _admit(self, request: ImageRequest, trigger: Trigger) -> Receipt:
        now = self._clock()
        self._asked(request, now)
        objection = self._admission.objection(request, now)
        if isinstance(objection, Refusal):
            return self._refuse(objection, trigger)
        aimed = self._aimed(replace(request, doubt=objection))
        if isinstance(aimed, Refusal):
            return self._refuse(aimed, trigger)
        same = self._same(aimed, now)
        if isinstance(same, Refusal):
            return self._refuse(same, trigger)
        if same is not None:
            return await self._share(aimed, same, now)
        admitted = self._parking.admit(aimed, now)
        if isinstance(admitted, Refusal):
            return self._refuse(admitted, trigger)
        request = admitted
        submission = self._parts.scheduler.submit(request, now)
        if submission.refusal is not None:
            self._parts.policy.give_back(request, now)
            return self._refuse(submission.refusal, trigger)
        stored = self._parts.store.requests.accept(request)
        self._actors.put(request.id, request.actor.id)
        self._end_all(submission.ended)
        self._parts.metrics.took(PipelineStep.ADMIT, (now - request.at) * 1000)
        self._make_way(request)
        self._work.set()
        self._air.touch()
        outcome = ReceiptOutcome.JOINED if submission.leader_id else ReceiptOutcome.QUEUED
        return await self._written(request, stored, outcome)

    def _aimed(self, request: ImageRequest) -> ImageRequest | Refusal:
        """Give a change the picture it is about: the one on air when the viewer typed, not when their turn comes."""
        if request.of_program and self._parts.eye is None:
            return Refusal(request.id, "program", "the streamer has not connected OBS for that")
        if request.kind is not RequestKind.EDIT or request.of_program:
            return request
        shown = self._parts.stage.current(request.layer)
        if shown is None:
            return Refusal(request.id, "edit", "there is no picture on air to change")
        self._changed_from.put(request.id, shown.request_id)
        return replace(request, reference=shown.data)

    # Draw and deliver.

    def _may_draw(self, request: ImageRequest) -> bool:
        """Keep viewers' pictures apart, so that each is seen; the streamer's own never wait."""
        if self._intake.objection(request) is not None:
            return False
        free = request.priority is Lane.BROADCASTER or self._free_at.get(request.layer, 0.0) <= self._clock()
        return free and self._parts.policy.may_draw(request)

    def _make_way(self, request: ImageRequest) -> None:
        """Put a viewer's picture off that is being drawn, if the streamer's could be drawn in its stead right now."""
        drawn = self._drawing.request
        if drawn is None or self._parking.parked:
            return
        makes_way = self._parts.scheduler.makes_way(drawn.id, request, self._drawing.steps_left)
        if makes_way and self._may_draw(request):
            self._drawing.make_way()

    def _wait_for_layer(self, now: float) -> float | None:
        return min((moment - now for moment in self._free_at.values() if moment > now), default=None)

    def _end_all(self, endings: Iterable[Ending]) -> None:
        for ending in endings:
            self._air.end([ending.request], ending.state, ending.refusal.rule, ending.refusal.reason)
