"""Runs a recorded chat through the real steps of a show, in no time and without drawing."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from streamer.commands.parser import Commands
from streamer.interfaces import Abilities, Health, HealthState, Lease, Receipt, ReceiptOutcome
from streamer.moderation.approval import HeldPicture
from streamer.moderation.policy import Policy
from streamer.overlay.hub import Hub
from streamer.overlay.layer_options import DEFAULT_LAYERS, LayerOptions
from streamer.pipeline.admit import TriggerTables
from streamer.pipeline.deliver import DrawnPicture
from streamer.pipeline.metrics import Metrics
from streamer.pipeline.pipeline import Channel, build_channel
from streamer.pipeline.queue_options import QueueOptions
from streamer.pipeline.scheduler import Scheduler
from streamer.pipeline.show import ShowConfig, ShowParts, new_show
from streamer.pipeline.stage import Stage
from streamer.storage.memory import memory_store
from streamer.triggers.replay import RecordedLine
from streamer.types import Actor, Ended, Event, Frame, ImageRequest, Lane, RequestState, Trigger

Result = TypeVar("Result")

TRIGGER_PREFIX = "dry-run-"


class LineFate(StrEnum):
    """What would have become of one line."""

    ON_AIR = "on_air"
    HELD = "held"
    REFUSED = "refused"
    IGNORED = "ignored"


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
    """What a dry run takes from config.yaml; ``draw_s`` is how long each picture is assumed to take.

    ``abilities`` is what the backend that would draw can do.
    """

    commands: Commands
    policy: Policy
    queue: QueueOptions
    show: ShowConfig = field(default_factory=ShowConfig)
    layers: Mapping[str, LayerOptions] = field(default_factory=lambda: DEFAULT_LAYERS)
    draw_s: float = 0.3
    abilities: Abilities = field(default_factory=Abilities)


class _NumberClock:
    """The recording's own time, in seconds since its beginning."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return self.time

    async def wait(self, event: asyncio.Event, until: float | None) -> None:
        raise RuntimeError("a dry run never waits")


class _NoGenerator:
    """Draws nothing: the dry run makes the frames, and learns here when one is no longer wanted."""

    active: Mapping[str, str] = {}
    restarts: Mapping[str, int] = {}
    slots: Mapping[str, Health] = {}

    def __init__(self, abilities: Abilities) -> None:
        self.abilities = abilities
        self.cancelled = False

    def cancel(self, request_id: str) -> None:
        self.cancelled = True

    def health(self) -> Health:
        return Health("generator", HealthState.READY)

    def lease(self, lane: Lane, unless: asyncio.Event | None = None) -> AbstractAsyncContextManager[Lease | None]:
        raise RuntimeError("a dry run draws nothing")

    def release_gpu(self) -> bool:
        return True

    def reclaim_gpu(self) -> None: ...


class DryRun:
    """One evening on the steps of the real show, with a store in memory and a clock that is a number."""

    def __init__(self, config: DryRunConfig) -> None:
        self._config = config

    def run(self, lines: Iterable[RecordedLine]) -> list[LineOutcome]:
        """Play every line and let the queue empty; one outcome per line, in their order."""
        with TemporaryDirectory(prefix="streamer-dry-run-") as folder:
            evening = _Evening(self._config, Path(folder))
            for number, line in enumerate(lines, start=1):
                evening.play(number, line)
            return evening.finish()


class _Evening:
    """A show whose time is moved from one moment at which something is due to the next."""

    def __init__(self, config: DryRunConfig, home: Path) -> None:
        self._draw_s = config.draw_s
        self._clock, self._generator = _NumberClock(), _NoGenerator(config.abilities)
        self._outcomes = _Outcomes(self._clock)
        hub = Hub(config.layers)
        parts = ShowParts(
            commands=config.commands, policy=config.policy, scheduler=Scheduler(config.queue),
            stage=Stage(tuple(config.layers)), hub=hub, metrics=Metrics(), generator=self._generator,
            store=memory_store(home),
        )  # fmt: skip
        self._show = new_show(parts, config.show, self._clock)
        self._show.active.draw_times.assumed_s = config.draw_s
        _finished(self._show.privacy.restore())
        self._show.publisher.subscribe(self._outcomes.note)
        self._channel: Channel = build_channel(self._show, TriggerTables())
        self._drawing = ExitStack()
        self._started_at = 0.0

    def play(self, number: int, line: RecordedLine) -> None:
        """Submit one line at its time."""
        self._advance(line.at)
        actor = Actor(line.actor.id, line.actor.name, line.actor.role, line.actor.login)
        trigger_id = self._outcomes.begin(number)
        trigger = Trigger(trigger_id, "dry run", line.text, actor, line.at, line.paid, line.first_time)
        self._outcomes.note_receipt(_finished(self._channel.admit.submit(trigger)))
        self._outcomes.note_held(self._show.approvals.all())
        self._step()

    def finish(self) -> list[LineOutcome]:
        """Let everything come to its end, and return one outcome per line."""
        self._advance(math.inf)
        return self._outcomes.all()

    def _advance(self, until: float) -> None:
        """Do everything that is due up to a moment, in order."""
        while (moment := self._next_moment()) is not None and moment <= until:
            self._clock.time = moment
            self._step()
        if until < math.inf:
            self._clock.time = until

    def _next_moment(self) -> float | None:
        now = self._clock.time
        due_at = self._started_at + self._draw_s if self._show.active.request is not None else None
        moments = (due_at, self._channel.draw.wakeup(), self._channel.timekeeper.wakeup(now))
        return min((moment for moment in moments if moment is not None and moment > now), default=None)

    def _step(self) -> None:
        """Finish the picture that is due, end what is over, and begin the next picture."""
        show, now = self._show, self._clock.time
        drawing = show.active.request
        if drawing is not None and (self._generator.cancelled or self._started_at + self._draw_s <= now):
            self._deliver(drawing)
        _finished(self._channel.timekeeper.tick(now))
        if show.active.request is None and (request := self._channel.draw.next()) is not None:
            self._started_at, self._generator.cancelled = now, False
            self._drawing.enter_context(show.active.of(request))
            self._show.store.requests.set_state(request.id, RequestState.DRAWING)

    def _deliver(self, request: ImageRequest) -> None:
        picture = None
        if not self._generator.cancelled:
            # Every picture is another one, so that an edit of one is not an edit of the next.
            frame = Frame(request.id, request.layer, "image/jpeg", request.id.encode(), 1, 1)
            picture = DrawnPicture(frame, (), self._clock.time - self._started_at, 0.0)
        _finished(self._channel.deliver.deliver(request, picture))
        self._drawing.close()
        self._outcomes.note_held(self._show.approvals.all())


class _Outcomes:
    """What is known so far of each line."""

    def __init__(self, clock: _NumberClock) -> None:
        self._clock = clock
        self._outcomes: dict[int, LineOutcome] = {}

    def begin(self, number: int) -> str:
        """Begin a line as ordinary chat, and return the trigger id that stands for it."""
        self._outcomes[number] = LineOutcome(number, LineFate.IGNORED)
        return f"{TRIGGER_PREFIX}{number}"

    def note_receipt(self, receipt: Receipt) -> None:
        """Note a line that was refused at once."""
        if receipt.outcome is ReceiptOutcome.REFUSED:
            number = _line_of(receipt.trigger_id)
            self._outcomes[number] = LineOutcome(number, LineFate.REFUSED, receipt.rule, receipt.reason)

    def note_held(self, held_pictures: Iterable[HeldPicture]) -> None:
        """Note the lines whose picture waits for a moderator."""
        for held in held_pictures:
            for request in () if held.auto_release else held.requests:
                if self._outcomes[_line_of(request.id)].outcome is not LineFate.HELD:
                    self._set(request, LineFate.HELD, held.verdict.judge, held.reason)

    def note(self, event: Event) -> None:
        """Note how a request ended; a picture that nobody decided on stays a held one."""
        if not isinstance(event, Ended):
            return
        if event.state is RequestState.SHOWN:
            self._set(event.request, LineFate.ON_AIR)
        elif self._outcomes[_line_of(event.request.id)].outcome is not LineFate.HELD:
            self._set(event.request, LineFate.REFUSED, event.rule, event.reason)

    def all(self) -> list[LineOutcome]:
        """Return the outcomes in the order of the lines."""
        return [self._outcomes[number] for number in sorted(self._outcomes)]

    def _set(self, request: ImageRequest, fate: LineFate, rule: str = "", reason: str = "") -> None:
        number, wait_s = _line_of(request.id), round(self._clock.time - request.at, 3)
        self._outcomes[number] = LineOutcome(number, fate, rule, reason, wait_s)


def _line_of(trigger_id: str) -> int:
    return int(trigger_id.removeprefix(TRIGGER_PREFIX))


def _finished(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine that has nothing to wait for: the store is in memory, and the clock never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        value: Result = done.value
        return value
    coroutine.close()
    raise RuntimeError("a dry run had to wait")


def summary(outcomes: Sequence[LineOutcome]) -> str:
    """Summarize a dry run in a few lines of text."""
    counts = Counter(outcome.outcome for outcome in outcomes)
    waits = sorted(outcome.wait_s for outcome in outcomes if outcome.outcome is LineFate.ON_AIR)
    rows = [f"{len(outcomes)} lines: " + ", ".join(f"{counts[fate]} {name}" for fate, name in _NAMES.items())]
    if waits:
        median, p95 = waits[len(waits) // 2], waits[min(len(waits) - 1, int(len(waits) * 0.95))]
        rows.append(f"wait for a picture: p50 {median:.1f} s, p95 {p95:.1f} s")
    for fate in (LineFate.REFUSED, LineFate.HELD):
        rules = Counter(outcome.rule for outcome in outcomes if outcome.outcome is fate)
        rows += [f"  {fate} by {rule}: {count}" for rule, count in rules.most_common()]
    return "\n".join(rows)


_NAMES: Mapping[LineFate, str] = {
    LineFate.ON_AIR: "on air", LineFate.HELD: "held", LineFate.REFUSED: "refused", LineFate.IGNORED: "ordinary chat",
}  # fmt: skip


def as_json(outcome: LineOutcome) -> Mapping[str, object]:
    """Return one outcome as it is printed."""
    return asdict(outcome)
