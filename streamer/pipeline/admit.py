"""Admits triggers: what they ask for, whether they may have it, and their place in the queue.

Every request passes a list of steps, cheapest first, before it is queued. A step looks at the request at ``now``
(monotonic seconds) and returns

- ``None``: the next step decides;
- an ``ImageRequest``: continue with this one;
- a ``Hold``: continue, but a moderator looks at the picture before it goes on air;
- a ``Refusal``: the request ends here;
- ``Joined``: the request shares the result of an equal one, and nothing is drawn.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from streamer import logs
from streamer.commands.automations import automation_for
from streamer.commands.event_triggers import SOURCE as EVENTS
from streamer.commands.event_triggers import EventTriggers
from streamer.commands.named_triggers import NamedTriggers
from streamer.commands.redaction import left_out
from streamer.errors import StoreError
from streamer.interfaces import Receipt, ReceiptOutcome, SourceEvent
from streamer.lru import LruDict
from streamer.moderation.approval import HeldPicture, approval_hold
from streamer.pipeline.dedupe import Result
from streamer.pipeline.deliver import held_answer
from streamer.pipeline.draw import preempt
from streamer.pipeline.forecast import after_start_s, in_words, wait_s
from streamer.pipeline.metrics import PipelineStep
from streamer.pipeline.reply_throttle import ReplyThrottle
from streamer.pipeline.scheduler import Submission
from streamer.pipeline.show import Show
from streamer.pipeline.stage_commands import DECISIONS, StageCommands
from streamer.types import (
    Actor,
    Answer,
    Hold,
    ImageRequest,
    KeyPress,
    Lane,
    Notice,
    NoticeKind,
    Refusal,
    Refused,
    RequestKind,
    RequestState,
    Retraction,
    StageAction,
    StageCommand,
    Trigger,
)

REMEMBERED = 20_000
NOTED_EVERY_S = 0.05
NO_PROGRAM = {
    True: "the streamer has not connected OBS, which this needs",
    False: "what viewers see cannot be captured at the moment",
}
"""Why what viewers see cannot be changed, by whether OBS is not set up at all."""


@dataclass(frozen=True, slots=True)
class Joined:
    """The request shares a result that exists already: a picture on air, or one that waits for a moderator."""

    request: ImageRequest
    result: Result | HeldPicture


StepResult = ImageRequest | Hold | Refusal | Joined | None
Step = Callable[[ImageRequest, float], StepResult]


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
        with logs.about(request=trigger.id, channel=self._show.name, source=trigger.source):
            return await self._submit(trigger, decides)

    async def _submit(self, trigger: Trigger, decides: bool) -> Receipt:
        show = self._show
        if decides:  # only a platform, or a moderator's token, can say who somebody is
            self._remember(trigger.actor, trigger.source)
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
            return self._refuse(Refusal(trigger.id, "retracted", "the message was retracted"), trigger)
        match order:
            case ImageRequest():
                return await self._admit(show.first_time.mark(order), trigger)
            case StageCommand() if order.action in DECISIONS and not decides:
                return self._refuse(Refusal(trigger.id, "role", "this needs a moderator's token"), trigger)
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
        if notice.actor is not None:
            self._remember(notice.actor, EVENTS)
        if notice.kind in (NoticeKind.ONLINE, NoticeKind.OFFLINE):
            show.live = notice.kind is NoticeKind.ONLINE
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

    def _remember(self, actor: Actor, source: str) -> None:
        """Remember who writes. Events carry no badges: they never turn a moderator into a viewer."""
        if source != EVENTS or not self._show.people.knows(actor.id):
            self._show.people.remember(actor)

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

    def steps(self) -> Sequence[Step]:
        """Return what every request passes, in this order.

        What cannot work here and raid mode come before the rules, so that whoever is to come back has not used up
        their turn.
        """
        show = self._show
        return (
            show.intake.objection, show.bans.objection, show.privacy.objection, self._ask_what_works,
            show.raid_mode.objection, self._ask_rules, self._ask_for_approval, self._add_reference, self._join_equal,
            show.game_mode.objection,
        )  # fmt: skip

    def steps_after_restart(self) -> Sequence[Step]:
        """Return what a request passes again that was accepted before a restart: nothing that counts turns."""
        show = self._show
        return (
            show.bans.objection, show.privacy.objection, self._ask_rules_again, self._ask_for_approval,
            self._add_reference,
        )  # fmt: skip

    def steps_of_draft(self) -> Sequence[Step]:
        """Return what a request for a private picture passes: nothing that is about the air."""
        show = self._show
        return (
            show.intake.objection, show.bans.objection, show.privacy.objection, self._ask_what_works, self._ask_rules,
            self._add_reference, show.game_mode.objection,
        )  # fmt: skip

    def steps_to_air(self) -> Sequence[Step]:
        """Return what a request passes again when its private picture is put on air."""
        show = self._show
        return (
            show.intake.objection, show.bans.objection, show.privacy.objection, self._ask_rules_again,
            self._ask_for_approval,
        )  # fmt: skip

    def note_seen(self, trigger_id: str) -> None:
        """Take a later trigger of this id for a duplicate."""
        self._seen.put(trigger_id, None)

    def run_steps(
        self, request: ImageRequest, now: float, steps: Sequence[Step] | None = None
    ) -> ImageRequest | Refusal | Joined:
        """Run every step; the first refusal or joined result ends it."""
        for step in self.steps() if steps is None else steps:
            result = step(request, now)
            match result:
                case None:
                    continue
                case Hold():
                    request = replace(request, hold=result)
                case ImageRequest():
                    request = result
                case _:
                    return result
        return request

    def _ask_what_works(self, request: ImageRequest, now: float) -> StepResult:
        """Refuse at once what would only fail when its turn has come."""
        show, view = self._show, self._show.program_view
        if reason := show.generator.abilities.objection(request):
            return Refusal(request.id, "unsupported", reason)
        if request.of_program:
            return None if view is not None and view.open else Refusal(request.id, "program", NO_PROGRAM[view is None])
        if _edits_layer(request) and show.stage.current(request.layer) is None:
            return Refusal(request.id, "edit", "there is no picture on air to change")
        return None

    def _ask_rules(self, request: ImageRequest, now: float) -> StepResult:
        """Ask the policy; whoever passes starts the wait of the others in raid mode."""
        objection = self._show.policy.check(request, now)
        if not isinstance(objection, Refusal):
            self._show.raid_mode.note_passed(request, now)
        return objection

    def _ask_rules_again(self, request: ImageRequest, now: float) -> StepResult:
        return self._show.policy.check_again(request, now)

    def _ask_for_approval(self, request: ImageRequest, now: float) -> StepResult:
        """Hold what a moderator is to look at by the channel's settings or because of a raid."""
        return approval_hold(replace(request, hold=None), self._show.config.approval, self._show.raid_mode.alarm(now))

    def _add_reference(self, request: ImageRequest, now: float) -> StepResult:
        """Give an edit its picture: the one on air when the viewer typed, not when their turn comes."""
        show = self._show
        if not _edits_layer(request) or (shown := show.stage.current(request.layer)) is None:
            return None
        show.lineage.note_parent(request.id, shown.request_id)
        return replace(request, reference=shown.data)

    def _join_equal(self, request: ImageRequest, now: float) -> StepResult:
        """Join an equal request that was refused a moment ago, is on air, or is held."""
        show = self._show
        result = show.results.find(request, now)
        if result is not None and result.refusal is not None:
            return replace(result.refusal, request_id=request.id)
        shown = show.stage.current(request.layer)
        if result is not None and shown is not None and shown.request_id == result.request_id:
            return Joined(request, result)
        held = show.approvals.join(request)
        return None if held is None else Joined(request, held)

    async def _admit(self, request: ImageRequest, trigger: Trigger) -> Receipt:
        show, now = self._show, self._show.now()
        show.raid_mode.note_request(request, now)
        result = self.run_steps(request, now)
        if isinstance(result, Refusal):
            return self._refuse(result, trigger)
        receipt = await (self._join(result, now) if isinstance(result, Joined) else self._enqueue(result, trigger, now))
        return self._tell_what_was_left_out(receipt, request, trigger, now)

    async def _enqueue(self, request: ImageRequest, trigger: Trigger, now: float) -> Receipt:
        show, submission = self._show, self._queue(request, now)
        if submission.refusal is not None:
            show.policy.give_back(request, now)
            return self._refuse(submission.refusal, trigger)
        stored = self._accept(request, now)
        show.end_queued(submission.ended)
        preempt(show, request)
        show.work.set()
        outcome = ReceiptOutcome.JOINED if submission.leader_id else ReceiptOutcome.QUEUED
        return await self._stored(request, stored, outcome)

    async def enter(self, request: ImageRequest, now: float) -> Receipt:
        """Enter a request whose picture exists already into the history, as accepted."""
        return await self._stored(request, self._accept(request, now), ReceiptOutcome.QUEUED)

    def _tell_what_was_left_out(self, receipt: Receipt, request: ImageRequest, trigger: Trigger, now: float) -> Receipt:
        """Say once what was taken out of an accepted text: its author sees a picture of other words than they typed."""
        if not request.removed or receipt.outcome is ReceiptOutcome.REFUSED:
            return receipt
        note = left_out(request.removed)
        if self._throttle.allows(trigger, now):
            self._show.publisher.notify(Answer(trigger.id, trigger.source, trigger.actor, note))
        return replace(receipt, reason=note)

    def _queue(self, request: ImageRequest, now: float) -> Submission:
        """Queue a request, unless its turn would come too late: then it is refused while the viewer still looks."""
        show = self._show
        waits_s = wait_s(show, request) if request.priority is not Lane.BROADCASTER else 0.0
        if waits_s <= show.config.patience_s:
            return show.scheduler.submit(request, now)
        shown_s = waits_s + after_start_s(show, request)
        show.wait_notices.busy(in_words(shown_s), now)
        again_s = math.ceil(waits_s - show.config.patience_s)
        reason = f"too many pictures wait, yours would come in about {in_words(shown_s)}"
        return Submission(refusal=Refusal(request.id, "queue", f"{reason}; try again in {in_words(again_s)}"))

    async def _join(self, joined: Joined, now: float) -> Receipt:
        """End a request as the equal one before it: it is on air already, or waits for a moderator."""
        show, request = self._show, joined.request
        stored = self._accept(request, now)
        if isinstance(joined.result, HeldPicture):
            if joined.result.auto_release:
                show.store.requests.set_state(request.id, RequestState.HELD)
            else:
                show.store.requests.hold([request.id], joined.result.reason)
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
        show.metrics.took(PipelineStep.ADMIT, now - request.at)
        show.publisher.mark_dirty()
        return stored

    async def _stored(self, request: ImageRequest, stored: Awaitable[None], outcome: ReceiptOutcome) -> Receipt:
        """Wait until an accepted request is on the disk: after a crash nothing would be left of it otherwise."""
        show, since = self._show, self._show.now()
        try:
            await stored
        except StoreError:
            reason = "the request could not be saved"
            show.drop(lambda queued: queued.id == request.id, "store", reason)
            show.active.cancel(request.id)
            return Receipt(request.id, ReceiptOutcome.REFUSED, "store", reason)
        show.metrics.took(PipelineStep.STORE, show.now() - since)
        return Receipt(request.id, outcome)

    def _refuse(self, refusal: Refusal, trigger: Trigger) -> Receipt:
        """Refuse a trigger; its content may count against whoever typed it."""
        now = self._show.now()
        self.note_refusal(refusal, trigger.actor, now)
        if self._throttle.allows(trigger, now):
            self._show.publisher.notify(Refused(trigger, refusal))
        return Receipt(refusal.request_id, ReceiptOutcome.REFUSED, refusal.rule, refusal.reason)

    def note_refusal(self, refusal: Refusal, actor: Actor, now: float) -> None:
        """Count and record a refusal; its content may count against whoever typed it."""
        show = self._show
        if refusal.code or refusal.rule == "words":
            show.strike(actor, now)
            if now - self._recorded_at >= NOTED_EVERY_S:
                # Spares the disk in a flood: strikes, raid mode and metrics count every refusal, the audit only as
                # many as anybody can read.
                self._recorded_at = now
                show.air_gate.record_objection(refusal)
        show.publisher.refuse(refusal)


def _edits_layer(request: ImageRequest) -> bool:
    """Tell whether a request changes its layer's picture, rather than one that came with it or what viewers see."""
    return request.kind is RequestKind.EDIT and not request.of_program and request.reference is None
