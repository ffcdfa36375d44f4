"""The interfaces of plug-ins and of the generator, and the health and receipts that every part reports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import AbstractAsyncContextManager
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
    Lane,
    Notice,
    Preview,
    Refusal,
    RequestKind,
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
    """A trigger source: it reconnects by itself, and ends only when nothing more can happen."""

    def listen(self) -> AsyncIterator[SourceEvent]:
        """Yield what happens."""
        ...

    def health(self) -> Health:
        """Return how the source is doing, for the panel."""
        ...


@runtime_checkable
class KeySource(Protocol):
    """A source whose keys stand for named triggers or lines; the start checks that each of them is known."""

    def names(self) -> Collection[str]:
        """Return what the keys stand for."""
        ...


class Rule:
    """A rule of the policy: inherit from it and override what the rule decides; Policy calls nothing else.

    ``now`` is time.monotonic() seconds. A rule that raises refuses, holds or is skipped, whichever is safer.
    """

    def check(self, request: ImageRequest, now: float) -> Refusal | Hold | None:
        """Judge a request before it is queued; a Hold lets it be drawn out of sight for a human to decide."""
        return None

    def give_back(self, request: ImageRequest, now: float) -> None:
        """Return the turn of a request that passed every rule and found no place in the queue."""

    def observe(self, notice: Notice, now: float) -> None:
        """Take note of what a source reports: a raid, Shield Mode, a scene."""

    def may_draw(self, request: ImageRequest) -> bool:
        """Tell whether a queued request may be drawn now; otherwise it waits, and expires if this stays so."""
        return True

    async def judge_text(self, request: ImageRequest) -> Judgement:
        """Judge a text while its picture is drawn; a failure or a late answer holds what chat asked for."""
        raise NotImplementedError

    def look(self, request: ImageRequest, frame: Frame, now: float) -> Refusal | Hold | None:
        """Decide over a finished picture by ``frame.judgements``; the rule knows which of them must be there."""
        return None

    def name_ok(self, name: str) -> bool:
        """Tell whether the overlay may show a display name."""
        return True

    def import_terms(self, terms: Collection[str]) -> int:
        """Refuse the terms that the channel blocks in its chat, in place of the last list; return how many count."""
        return 0

    @property
    def style(self) -> str | None:
        """Name the prompt style that the moment asks for."""
        return None

    @property
    def styles(self) -> Collection[str]:
        """Name every style that ``style`` can return, so that the start can check them."""
        return ()

    @property
    def commands(self) -> Collection[str]:
        """Name every command that the options mention, so that the start can check them."""
        return ()


@runtime_checkable
class Reporting(Protocol):
    """A part whose state the panel shows."""

    def health(self) -> Health:
        """Return how the part is doing."""
        ...


@runtime_checkable
class Running(Protocol):
    """An output with a task of its own."""

    async def run(self) -> None:
        """Run until cancelled."""
        ...


@runtime_checkable
class RewardSeller(Protocol):
    """An output that sells command lines for channel points; the start checks that each of them draws something."""

    def lines(self) -> Mapping[tuple[str, ...], str]:
        """Map the place of each line among the output's options to the line."""
        ...


class Output(Protocol):
    """Receives every event; it must not raise for a bad event and must not block."""

    async def publish(self, event: Event) -> None:
        """Take one event."""
        ...


class ProgramView(Protocol):
    """Takes screenshots of what viewers see."""

    @property
    def open(self) -> bool:
        """Tell whether a screenshot can be taken now."""
        ...

    async def picture(self) -> bytes:
        """Return an encoded screenshot within two seconds; raises BackendError if that is impossible."""
        ...


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a backend can draw: ``edits`` of existing pictures, and at most so many steps."""

    edits: bool = True
    most_steps: int | None = None

    def objection(self, request: ImageRequest) -> str:
        """Return why this backend cannot draw a request, in words for whoever asked; empty if it can."""
        if request.kind is RequestKind.EDIT and not self.edits:
            return "pictures cannot be changed on this computer, but new ones can be drawn"
        if self.most_steps is not None and request.params.num_inference_steps > self.most_steps:
            return (
                f"this command asks for more than {self.most_steps} steps, which the model does not draw; "
                "the streamer can set num_inference_steps to 4"
            )
        return ""


class Lease(Protocol):
    """The right to draw one picture now; it ends when the picture is there, or cannot be drawn."""

    @property
    def active(self) -> Mapping[str, str]:
        """Name what really draws this picture."""
        ...

    @property
    def waited_s(self) -> float:
        """Return how long the picture waited for a GPU."""
        ...

    def draw(self, request: ImageRequest) -> AsyncGenerator[Preview | Frame, None]:
        """Yield previews, then the frame; closing the iterator stops the drawing.

        Raises BackendError if it cannot draw it. A picture may begin again with its first preview: what drew it was
        lost, and another one draws it.
        """
        ...


class Generator(Protocol):
    """Draws the pictures of one channel, on GPUs that other channels may use as well."""

    @property
    def active(self) -> Mapping[str, str]:
        """Name what is really in use."""
        ...

    @property
    def abilities(self) -> Abilities:
        """Return what can be drawn, as far as is known."""
        ...

    @property
    def restarts(self) -> Mapping[str, int]:
        """Count restarts by cause."""
        ...

    @property
    def slots(self) -> Mapping[str, Health]:
        """Return how each place does that draws pictures, by its name."""
        ...

    def lease(self, lane: Lane, unless: asyncio.Event | None = None) -> AbstractAsyncContextManager[Lease | None]:
        """Wait until a picture of this lane may be drawn at once; None if ``unless`` is set before."""
        ...

    def cancel(self, request_id: str) -> None:
        """Stop drawing this request; its ``draw`` raises BackendError."""
        ...

    def release_gpu(self) -> bool:
        """Finish the picture being drawn, then free this computer's GPU until ``reclaim_gpu``.

        Return whether nothing can be drawn meanwhile: no other computer draws.
        """
        ...

    def reclaim_gpu(self) -> None:
        """Load and warm up again."""
        ...

    def health(self) -> Health:
        """Return whether anything draws, and if not, why."""
        ...


class ReceiptOutcome(StrEnum):
    """What became of one trigger; ignored: it was ordinary chat. Joined: another request draws the same picture."""

    QUEUED = "queued"
    JOINED = "joined"
    DONE = "done"
    REFUSED = "refused"
    IGNORED = "ignored"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to one trigger; ``rule`` and ``reason`` say why it was refused, or what was left out of the text."""

    trigger_id: str
    outcome: ReceiptOutcome
    rule: str = ""
    reason: str = ""
