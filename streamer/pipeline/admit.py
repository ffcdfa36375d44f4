"""Admits triggers: what they ask for, whether they may have it, and their place in the queue."""

from __future__ import annotations

import math
import uuid
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field, replace

from streamer.commands.automations import automation_for
from streamer.commands.event_triggers import EventTriggers
from streamer.commands.named_triggers import NamedTriggers
from streamer.errors import StoreError
from streamer.interfaces import Receipt, ReceiptOutcome, SourceEvent
from streamer.lru import LruDict
from streamer.moderation.approval import HeldPicture
from streamer.pipeline.admit_steps import Joined, run_steps
from streamer.pipeline.deliver import held_answer
from streamer.pipeline.draw import preempt
from streamer.pipeline.metrics import PipelineStep
from streamer.pipeline.reply_throttle import ReplyThrottle
from streamer.pipeline.show import Show
from streamer.pipeline.stage_commands import DECISIONS, StageCommands
from streamer.types import (
    ImageRequest,
    KeyPress,
    Notice,
    NoticeKind,
    Refusal,
    Refused,
    RequestState,
    Retraction,
    StageAction,
    StageCommand,
    Trigger,
)

REMEMBERED = 20_000
NOTED_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class TriggerTables:
    """What triggers stand for, beside the commands: named triggers, events and automations."""

    named: NamedTriggers = field(default_factory=lambda: NamedTriggers({}))
    events: EventTriggers = field(default_factory=lambda: EventTriggers(()))
    automations: Mapping[str, str] = field(default_factory=dict)


class Admit:
    """Turn what sources report into queued requests, stage commands and refusals."""

    def __init__(self, show: Show, stage_commands: StageCommands, tables: TriggerTables) -> None:
        self._show, self._stage_commands, self._tables = show, stage_commands, tables
        self._seen: LruDict[str, None] = LruDict(REMEMBERED)
        self._throttle = ReplyThrottle()
        self._recorded_at = -math.inf

    @property
    def named(self) -> NamedTriggers:
        """Return what ``press`` knows by name."""
        return self._tables.named

    async def take(self, event: SourceEvent) -> None:
        """Handle one event of a source."""
        match event:
            case Trigger():
                await self.submit(event)
            case KeyPress():
                await self.press(event)
            case Retraction():
                await self._stage_commands.controls.retract(event)
            case Notice():
                await self.observe(event)

    async def submit(self, trigger: Trigger, *, decides: bool = True) -> Receipt:
        """Admit one trigger; the request that it makes is stored before this returns.

        ``decides`` tells whether the sender is trusted to decide about people and held pictures.
        """
        show = self._show
        order = show.commands.interpret(trigger)
        if not isinstance(order, ImageRequest):
            show.first_time.note_greeting(trigger)
        if order is None:
            return Receipt(trigger.id, ReceiptOutcome.IGNORED)
        show.metrics.trigger(trigger.source)
        # Twitch may report one redemption twice, under two ids.
        if not self._seen.put(trigger.redemption.id if trigger.redemption else trigger.id, None):
            return Receipt(trigger.id, ReceiptOutcome.DUPLICATE)
        if show.retractions.covers(trigger):
            return self._refuse(Refusal(trigger.id, "retracted", "the message was taken back"), trigger)
        match order:
            case ImageRequest():
                return await self._admit(show.first_time.mark(order), trigger)
            case StageCommand() if order.action in DECISIONS and not decides:
                return self._refuse(Refusal(trigger.id, "role", "that takes a moderator's token"), trigger)
            case StageCommand():
                return await self._stage_commands.obey(order)
            case Refusal():
                return self._refuse(order, trigger)

    async def press(self, press: KeyPress) -> Receipt:
        """Run a named trigger; a second press of pause resumes, and a second press of free takes the GPU back."""
        return await self._run_named(press, toggle=True)

    async def observe(self, notice: Notice) -> None:
        """Let rules and outputs observe an event, and run what config.yaml wants to happen with it."""
        show, now = self._show, self._show.now()
        show.raid_mode.observe(notice, now)
        if notice.kind in (NoticeKind.SHIELD_ON, NoticeKind.SHIELD_OFF):
            show.intake.shield(notice.kind is NoticeKind.SHIELD_ON)
        show.policy.observe(notice, now)
        if notice.kind is NoticeKind.SCENE:
            show.commands = show.commands.in_scene(show.policy.style)
        show.publisher.mark_dirty()
        show.publisher.notify(notice)
        # A request that the last scene kept waiting may be drawn now.
        show.work.set()
        if (trigger := self._tables.events.trigger_for(notice)) is not None:
            await self.submit(trigger)
        if name := automation_for(self._tables.automations, notice):
            await self._run_named(KeyPress(f"when-{uuid.uuid4()}", notice.source, name, now), toggle=False)

    async def _run_named(self, press: KeyPress, toggle: bool) -> Receipt:
        order = self._tables.named.interpret(press)
        if order is None:
            return Receipt(press.id, ReceiptOutcome.DUPLICATE)
        if isinstance(order, Trigger):
            return await self.submit(order)
        self._show.metrics.trigger(press.source)
        return await self._stage_commands.obey(self._toggled(order) if toggle else order)

    def _toggled(self, order: StageCommand) -> StageCommand:
        if order.action is StageAction.PAUSE and self._show.intake.paused:
            return replace(order, action=StageAction.RESUME)
        if order.action is StageAction.FREE and self._show.game_mode.active:
            return replace(order, action=StageAction.WARM)
        return order

    async def _admit(self, request: ImageRequest, trigger: Trigger) -> Receipt:
        show, now = self._show, self._show.now()
        show.people.remember(request.actor)
        show.raid_mode.note_request(request, now)
        result = run_steps(request, show, now)
        match result:
            case Refusal():
                return self._refuse(result, trigger)
            case Joined():
                return await self._join(result, now)
        submission = show.scheduler.submit(result, now)
        if submission.refusal is not None:
            show.policy.give_back(result, now)
            return self._refuse(submission.refusal, trigger)
        stored = self._accept(result, now)
        show.end_queued(submission.ended)
        preempt(show, result)
        show.work.set()
        outcome = ReceiptOutcome.JOINED if submission.leader_id else ReceiptOutcome.QUEUED
        return await self._stored(result, stored, outcome)

    async def _join(self, joined: Joined, now: float) -> Receipt:
        """End a request as the equal one before it: it is on air already, or waits for a moderator."""
        show, request = self._show, joined.request
        stored = self._accept(request, now)
        if isinstance(joined.result, HeldPicture):
            show.store.requests.set_state(request.id, RequestState.HELD)
            if not joined.result.auto_release:
                show.publisher.notify(held_answer(request))
            return await self._stored(request, stored, ReceiptOutcome.JOINED)
        receipt = await self._stored(request, stored, ReceiptOutcome.JOINED)
        if receipt.outcome is ReceiptOutcome.JOINED:
            show.publisher.end_shown(request, (), 0.0, (now - request.at) * 1000)
        return receipt

    def _accept(self, request: ImageRequest, now: float) -> Awaitable[None]:
        show = self._show
        stored = show.store.requests.accept(request)
        show.lineage.note(request.id, request.actor.id)
        show.metrics.took(PipelineStep.ADMIT, (now - request.at) * 1000)
        show.publisher.mark_dirty()
        return stored

    async def _stored(self, request: ImageRequest, stored: Awaitable[None], outcome: ReceiptOutcome) -> Receipt:
        """Wait until an accepted request is on the disk: after a crash nothing would be left of it otherwise."""
        try:
            await stored
        except StoreError:
            reason = "the request could not be written down"
            self._show.drop(lambda queued: queued.id == request.id, "store", reason)
            self._show.active.cancel(request.id)
            return Receipt(request.id, ReceiptOutcome.REFUSED, "store", reason)
        return Receipt(request.id, outcome)

    def _refuse(self, refusal: Refusal, trigger: Trigger) -> Receipt:
        """Refuse a trigger; its content may count against whoever typed it."""
        show, now = self._show, self._show.now()
        if refusal.code or refusal.rule == "words":
            show.strike(trigger.actor, now)
            if now - self._recorded_at >= NOTED_EVERY_S:
                # Spares the disk in a flood: strikes, raid mode and metrics count every refusal, the audit only as
                # many as anybody can read.
                self._recorded_at = now
                show.air_gate.record_objection(refusal)
        show.publisher.refuse(refusal)
        if self._throttle.allows(trigger, now):
            show.publisher.notify(Refused(trigger, refusal))
        return Receipt(refusal.request_id, ReceiptOutcome.REFUSED, refusal.rule, refusal.reason)
