"""The seams: what a plug-in of each kind, and each stage the faces talk to, must offer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from streamer.types import (
    Event,
    Frame,
    Hold,
    ImageRequest,
    Judgement,
    KeyPress,
    Notice,
    Preview,
    Refusal,
    Retraction,
    Trigger,
)

SourceEvent = Trigger | KeyPress | Retraction | Notice


class HealthState(StrEnum):
    """How a part is doing, in one word that the panel and the API show."""

    CONNECTING = "connecting"
    """Not connected yet, for the first time."""
    RECONNECTING = "reconnecting"
    """The connection was lost; the part tries again by itself."""
    AWAY = "away"
    """The program at the other end is not running, which is no fault."""
    COLD = "cold"
    """No generator process is ready; one is being started or stopped."""
    WARMING = "warming"
    """The generator loads a model or warms it up."""
    READY = "ready"
    BUSY = "busy"
    """Ready, and drawing a picture right now."""
    PARKED = "parked"
    """Game mode: the GPU is free for other programs."""
    LIMITED = "limited"
    """It works, except for what ``detail`` names."""
    PAUSED = "paused"
    ALARM = "alarm"
    """Viewers do not see the overlay while the stream is live."""
    OFF = "off"
    """Switched off, or not configured."""
    ENDED = "ended"
    """A source that has nothing more to say."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Health:
    """How a part is doing; ``detail`` is a sentence for people."""

    name: str
    state: HealthState
    detail: str = ""

    @property
    def draws(self) -> bool:
        """Tell whether a generator in this state draws what is asked of it now."""
        return self.state in (HealthState.READY, HealthState.BUSY)


class Source(Protocol):
    """A trigger source: yields what happened, reconnects by itself, ends only when it has nothing more to say."""

    def listen(self) -> AsyncIterator[SourceEvent]: ...

    def health(self) -> Health: ...


@runtime_checkable
class KeySource(Protocol):
    """A source whose keys stand for named triggers or lines: the start checks that each of them means something."""

    def names(self) -> Collection[str]: ...


class Rule(Protocol):
    """One link of the policy chain: judge a request at ``now`` (monotonic seconds); None lets it pass.

    A Hold lets it be drawn, out of sight, for a human to decide. A rule may also be a NameJudge, a Listener,
    a TextJudge or a PictureJudge.
    """

    def check(self, request: ImageRequest, now: float) -> Refusal | Hold | None: ...


@runtime_checkable
class Listener(Protocol):
    """A rule that hears what sources notice: a raid, Shield Mode, a scene."""

    def hear(self, notice: Notice, now: float) -> None: ...


@runtime_checkable
class Limiter(Protocol):
    """A rule that counts turns: it hears of a request that passed all rules and found no place in the queue."""

    def give_back(self, request: ImageRequest, now: float) -> None: ...


@runtime_checkable
class DrawGate(Protocol):
    """A rule that is asked again before a request is drawn: what it closes waits, and expires if it stays closed."""

    def may_draw(self, request: ImageRequest) -> bool: ...


@runtime_checkable
class Stylist(Protocol):
    """A rule that knows which prompt style the moment asks for; ``styles`` and ``commands`` are all it may name."""

    @property
    def style(self) -> str | None: ...

    @property
    def styles(self) -> Collection[str]: ...

    @property
    def commands(self) -> Collection[str]: ...


@runtime_checkable
class TextJudge(Protocol):
    """A rule that takes its time over a text: asked while the picture is drawn, which then waits for the answer.

    Whatever it raises, and an answer that takes too long, holds what chat asked for.
    """

    async def judge(self, request: ImageRequest) -> Judgement: ...


@runtime_checkable
class PictureJudge(Protocol):
    """A rule that decides over the finished picture, by ``frame.judgements``; it knows which of them must be there."""

    def look(self, request: ImageRequest, frame: Frame, now: float) -> Refusal | Hold | None: ...


@runtime_checkable
class Reporting(Protocol):
    """A part whose state the panel shows."""

    def health(self) -> Health: ...


@runtime_checkable
class Running(Protocol):
    """An output with a life of its own besides what it is told: it runs until cancelled."""

    async def run(self) -> None: ...


@runtime_checkable
class RewardSeller(Protocol):
    """An output that sells lines: where each stands among its options; the start checks that each draws something."""

    def lines(self) -> Mapping[tuple[str, ...], str]: ...


class Output(Protocol):
    """Something that is told every event; it must not raise for a bad event and must not block."""

    async def publish(self, event: Event) -> None: ...


class ProgramView(Protocol):
    """Something that sees what viewers see."""

    @property
    def open(self) -> bool:
        """Tell whether it could see now."""
        ...

    async def picture(self) -> bytes:
        """Return it as an encoded picture, within two seconds; raises BackendError when it cannot be had."""
        ...


class Generator(Protocol):
    """Draws one request at a time: previews, then exactly one frame; raises BackendError when it cannot."""

    @property
    def active(self) -> Mapping[str, str]:
        """Name what is really in use."""
        ...

    @property
    def drew_s(self) -> float:
        """Seconds that the backend itself worked on the last picture, without caption, encoding and transport."""
        ...

    @property
    def judged_s(self) -> float:
        """Seconds that the last picture, finished, waited for its judges in the process."""
        ...

    @property
    def edits(self) -> bool:
        """Tell whether a request with a reference can be drawn, as far as is known."""
        ...

    @property
    def restarts(self) -> Mapping[str, int]:
        """Count restarts by cause."""
        ...

    async def ready(self) -> None:
        """Wait until a request would be drawn at once."""
        ...

    def draw(self, request: ImageRequest) -> AsyncIterator[Preview | Frame]: ...

    def cancel(self, request_id: str) -> None: ...

    def park(self) -> None:
        """Finish the picture being drawn, then give the GPU away until ``unpark``."""
        ...

    def unpark(self) -> None: ...

    def health(self) -> Health: ...


@runtime_checkable
class NameJudge(Protocol):
    """A rule that also judges display names, which the overlay shows."""

    def name_ok(self, name: str) -> bool: ...


@runtime_checkable
class TermImporter(Protocol):
    """A rule that can take over the terms that the channel blocks in its chat; the newest list replaces the last."""

    def import_terms(self, terms: Iterable[str]) -> int: ...


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one trigger: queued, joined, done, refused, ignored or duplicate."""

    trigger_id: str
    outcome: str
    rule: str = ""
    reason: str = ""
