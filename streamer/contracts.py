"""The seams: what a plug-in of each kind, and each stage the faces talk to, must offer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from streamer.types import Event, Frame, ImageRequest, Preview, Refusal, Retraction, Trigger


@dataclass(frozen=True, slots=True)
class Health:
    """How a part is doing: ``state`` is one word (ready, connecting, failed ...), ``detail`` a sentence for people."""

    name: str
    state: str
    detail: str = ""


class Source(Protocol):
    """A trigger source: yields what happened, reconnects by itself, ends only when it has nothing more to say."""

    def listen(self) -> AsyncIterator[Trigger | Retraction]: ...

    def health(self) -> Health: ...


class Rule(Protocol):
    """One link of the policy chain: judge a request at ``now`` (monotonic seconds); None lets it pass."""

    def check(self, request: ImageRequest, now: float) -> Refusal | None: ...


class Output(Protocol):
    """Something that is told every event; it must not raise for a bad event and must not block."""

    async def publish(self, event: Event) -> None: ...


class Generator(Protocol):
    """Draws one request at a time: previews, then exactly one frame; raises BackendError when it cannot."""

    def draw(self, request: ImageRequest) -> AsyncIterator[Preview | Frame]: ...

    def health(self) -> Health: ...
