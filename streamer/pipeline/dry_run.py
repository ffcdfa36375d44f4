"""Runs a recorded chat through commands, rules, limits and queue, in no time, without drawing: what would be?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from streamer.commands.parser import Commands
from streamer.lru import LruDict
from streamer.moderation.admission import Admission
from streamer.moderation.approval import ApprovalOptions
from streamer.moderation.bans import Bans, StrikeOptions, typed
from streamer.moderation.first_time import FirstTimeChatters
from streamer.moderation.policy import Policy
from streamer.moderation.raid_mode import RaidMode, RaidModeOptions
from streamer.pipeline.dedupe import RecentResults
from streamer.pipeline.scheduler import Ending, QueueOptions, Scheduler
from streamer.storage.bans import Ban
from streamer.triggers.replay import RecordedLine
from streamer.types import (
    Actor,
    Hold,
    ImageRequest,
    Lane,
    Refusal,
    RequestKind,
    Role,
    StageAction,
    StageCommand,
    Trigger,
)

LineFate = Literal["on_air", "held", "refused", "ignored"]


@dataclass(frozen=True, slots=True)
class LineOutcome:
    """What would have become of one line; ``line`` counts from 1, ``wait_s`` is from typing to that end."""

    line: int
    outcome: LineFate
    rule: str = ""
    reason: str = ""
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class DryRunConfig:
    """Everything of the config that has a say; ``draw_s`` is how long a picture is assumed to take."""

    commands: Commands
    policy: Policy
    queue: QueueOptions
    approval: ApprovalOptions = field(default_factory=ApprovalOptions)
    strikes: StrikeOptions = field(default_factory=StrikeOptions)
    raid: RaidModeOptions = field(default_factory=RaidModeOptions)
    at_least_s: Mapping[str, float] = field(default_factory=dict)
    draw_s: float = 0.3


class _Nowhere:
    """Bans of a rehearsal are written down nowhere."""

    def put(self, ban: Ban) -> None: ...

    def delete(self, who: str) -> None: ...


class DryRun:
    """One evening; time is the recording's own, in seconds since its beginning."""

    def __init__(self, house: DryRunConfig) -> None:
        self._house = house
        self._scheduler, self._raid = Scheduler(house.queue), RaidMode(house.raid)
        self._bans = Bans(_Nowhere(), house.strikes, lambda: self._now)  # type: ignore[arg-type]
        guards = (self._closed, self._bans.objection, self._forgotten)
        self._admission = Admission(guards, house.policy, self._raid, house.approval)
        self._commands = house.commands
        self._people: LruDict[str, Actor] = LruDict(10_000)
        self._gone: set[str] = set()
        self._now, self._busy_until = 0.0, 0.0
        self._intake = "open"
        self._newcomers = FirstTimeChatters()
        self._free_at: dict[str, float] = {}
        self._repeats = RecentResults(house.queue.same_s)
        self._on_air: dict[str, str] = {}
        self._lines: LruDict[str, int] = LruDict(10_000)
        self._outcomes: dict[int, LineOutcome] = {}

    def run(self, lines: Iterable[RecordedLine]) -> list[LineOutcome]:
        """Play every line and let the queue empty; one outcome a line, in their order."""
        for number, line in enumerate(lines, start=1):
            self._advance(line.at)
            actor = Actor(line.actor.id, line.actor.name, line.actor.role)
            trigger_id = f"rehearsal-{number}"
            self._say(number, Trigger(trigger_id, "rehearsal", line.text, actor, line.at, line.paid, line.first_time))
        self._advance(math.inf)
        return [self._outcomes[number] for number in sorted(self._outcomes)]

    def _say(self, number: int, trigger: Trigger) -> None:
        order = self._commands.interpret(trigger)
        self._outcomes[number] = LineOutcome(number, "ignored")
        if not isinstance(order, ImageRequest):
            self._newcomers.greeted(trigger)
        if isinstance(order, Refusal):
            self._refuse(number, order, trigger)
        elif isinstance(order, ImageRequest):
            self._ask(number, self._newcomers.marked(order), trigger)
        elif isinstance(order, StageCommand):
            self._obey(order)

    def _ask(self, number: int, request: ImageRequest, trigger: Trigger) -> None:
        self._lines.put(request.id, number)
        self._people.put(request.actor.name.casefold(), request.actor)
        self._raid.asked(request, self._now)
        found = self._admission.objection(request, self._now)
        shown = self._on_air.get(request.layer)
        if request.kind is RequestKind.EDIT:
            if found is None and shown is None:
                found = Refusal(request.id, "edit", "there is no picture on air to change")
            request = replace(request, reference=(shown or "").encode())
        if isinstance(found, Refusal):
            self._refuse(number, found, trigger)
            return
        fate = self._repeats.fate(request, self._now)
        if fate is not None and fate.request_id == shown:
            self._note(request, "on_air", "", "", max(self._now, fate.at))
            return
        if isinstance(found, Hold):
            self._outcomes[number] = LineOutcome(number, "held", found.rule, found.reason)
        submission = self._scheduler.submit(request, self._now)
        if submission.refusal is not None:
            self._house.policy.give_back(request, self._now)
            self._refuse(number, submission.refusal, trigger)
        self._end(submission.ended)
        self._draw()

    def _obey(self, order: StageCommand) -> None:
        if order.action is StageAction.PANIC or (order.action is StageAction.PAUSE and self._intake == "open"):
            self._intake = order.action
        elif order.action is StageAction.RESUME:
            self._intake = "open"
        elif order.action is StageAction.STYLE:
            self._commands = self._commands.with_style(order.text)
        elif order.action in (StageAction.BAN, StageAction.UNBAN, StageAction.FORGETME):
            self._decide(order)
        if order.action in (StageAction.CLEAR, StageAction.PANIC):
            layer = order.layer if order.action is StageAction.CLEAR else None
            self._drop(lambda request: layer in (None, request.layer), order.action, "a moderator cleared the screen")
            for name in [layer] if layer else list(self._on_air):
                self._on_air.pop(name, None)
        if order.action in (StageAction.CLEAR, StageAction.PANIC, StageAction.NEXT):
            layers = {order.layer} if order.action is StageAction.CLEAR and order.layer else set(self._free_at)
            self._free_at = {name: at for name, at in self._free_at.items() if name not in layers}
        self._draw()

    def _decide(self, order: StageCommand) -> None:
        who, minutes = (
            (order.actor.name.casefold(), None) if order.action is StageAction.FORGETME else typed(order.text)
        )
        actor = self._people.get(who) or Actor(who, who, Role.VIEWER)
        if order.action is StageAction.UNBAN:
            self._bans.unban(who)
            self._gone.discard(actor.id)
            return
        if order.action is StageAction.FORGETME:
            actor = order.actor
            self._bans.forget(actor.id)
            self._gone.add(actor.id)
        elif actor.role < Role.MODERATOR:
            self._bans.ban(actor.id, actor.name, None if minutes is None else minutes * 60, "", order.actor.name)
        else:
            return
        self._drop(lambda request: request.actor.id == actor.id, "retracted", "the message was taken back")

    def _drop(self, matches: Callable[[ImageRequest], bool], rule: str, reason: str) -> None:
        for dropped in self._scheduler.drop(matches):
            self._note(dropped, "refused", rule, reason)

    def _forgotten(self, request: ImageRequest, now: float) -> Refusal | None:
        if request.actor.id not in self._gone:
            return None
        return Refusal(request.id, "forgotten", "you asked to be forgotten; a moderator can take that back")

    def _closed(self, request: ImageRequest, now: float) -> Refusal | None:
        if self._intake == "panic":
            return Refusal(request.id, "panic", "pictures are switched off for now")
        if self._intake == "pause" and request.priority is not Lane.BROADCASTER:
            return Refusal(request.id, "paused", "requests are paused for now")
        return None

    def _refuse(self, number: int, refusal: Refusal, trigger: Trigger) -> None:
        self._outcomes[number] = LineOutcome(number, "refused", refusal.rule, refusal.reason)
        if refusal.code or refusal.rule == "words":
            self._raid.blocked(self._now)
            self._bans.strike(trigger.actor, self._now)

    def _advance(self, until: float) -> None:
        """Let pictures be drawn and requests expire up to a moment."""
        while (moment := self._next()) is not None and moment <= until:
            self._now = moment
            self._end(self._scheduler.expire(moment))
            self._draw()
        if until < math.inf:
            self._now = until

    def _next(self) -> float | None:
        moments = [self._busy_until, *self._free_at.values(), self._scheduler.wakeup(self._now) or 0.0]
        return min((moment for moment in moments if moment > self._now), default=None)

    def _draw(self) -> None:
        if self._busy_until > self._now:
            return
        request = self._scheduler.next(self._now, self._may_draw)
        if request is None:
            return
        self._busy_until = self._now + self._house.draw_s
        was = self._outcomes[self._lines.get(request.id) or 0]
        if was.outcome != "held" and (hold := self._admission.doubted(request, self._now)) is not None:
            was = LineOutcome(was.line, "held", hold.rule, hold.reason)
        held = was.outcome == "held"
        # Those who typed the same share its fate, and in a house with a delay what is not held goes on air later.
        delay_s = 0.0 if held or request.actor.role >= Role.MODERATOR else self._house.approval.delay_s
        at = self._busy_until + delay_s
        for one in (request, *self._scheduler.finish(request.id)):
            self._note(one, "held" if held else "on_air", was.rule if held else "", was.reason if held else "", at)
        if not held:
            self._on_air[request.layer] = request.id
            self._repeats.note(request, at)
            self._free_at[request.layer] = at + self._house.at_least_s.get(request.layer, 0.0)

    def _may_draw(self, request: ImageRequest) -> bool:
        if self._closed(request, self._now) is not None:
            return False
        return request.priority is Lane.BROADCASTER or self._free_at.get(request.layer, 0.0) <= self._now

    def _end(self, endings: Iterable[Ending]) -> None:
        for ending in endings:
            self._note(ending.request, "refused", ending.refusal.rule, ending.refusal.reason)

    def _note(self, request: ImageRequest, fate: LineFate, rule: str, reason: str, at: float | None = None) -> None:
        number = self._lines.get(request.id)
        if number is not None:
            wait_s = round((self._now if at is None else at) - request.at, 3)
            self._outcomes[number] = LineOutcome(number, fate, rule, reason, wait_s)


def summary(outcomes: Sequence[LineOutcome]) -> str:
    """Say in a few lines what would have been."""
    fates = Counter(one.outcome for one in outcomes)
    waits = sorted(one.wait_s for one in outcomes if one.outcome == "on_air")
    rows = [f"{len(outcomes)} lines: " + ", ".join(f"{fates[fate]} {name}" for fate, name in _NAMES.items())]
    if waits:
        middle, late = waits[len(waits) // 2], waits[min(len(waits) - 1, int(len(waits) * 0.95))]
        rows.append(f"waiting for a picture: {middle:.1f} s in the middle, {late:.1f} s for one in twenty")
    for fate in ("refused", "held"):
        rules = Counter(one.rule for one in outcomes if one.outcome == fate)
        rows += [f"  {fate} by {rule}: {count}" for rule, count in rules.most_common()]
    return "\n".join(rows)


_NAMES: Mapping[LineFate, str] = {"on_air": "on air", "held": "held", "refused": "refused", "ignored": "ordinary chat"}


def as_json(outcome: LineOutcome) -> Mapping[str, object]:
    """Return one outcome as it is printed."""
    return asdict(outcome)
