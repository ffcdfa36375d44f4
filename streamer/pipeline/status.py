"""What a control panel shows of one show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from streamer.interfaces import Health, Receipt
from streamer.pipeline.metrics import Percentiles
from streamer.types import (
    Frame,
    ImageRequest,
    KeyPress,
    Trigger,
    Verdict,
)


class BanView(Protocol):
    """Somebody who is kept out; ``until`` is seconds since the epoch, None for good."""

    @property
    def who(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def until(self) -> float | None: ...

    @property
    def reason(self) -> str: ...


class HeldView(Protocol):
    """A finished picture that waits for a moderator, or (``goes``) for its seconds; ``number`` is short to type."""

    @property
    def number(self) -> int: ...

    @property
    def request(self) -> ImageRequest: ...

    @property
    def frame(self) -> Frame: ...

    @property
    def verdict(self) -> Verdict: ...

    @property
    def reason(self) -> str: ...

    @property
    def until(self) -> float: ...

    @property
    def goes(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class ShowStatus:
    """Everything a control panel shows, at one moment. ``on_air`` holds the request id of each layer's picture."""

    paused: bool
    style: str | None
    generator: Health
    active: Mapping[str, str]
    sources: tuple[Health, ...]
    pages: int
    drawing: ImageRequest | None
    pending: tuple[ImageRequest, ...]
    on_air: Mapping[str, str | None]
    timings: Mapping[str, Percentiles]
    held: tuple[HeldView, ...] = ()
    alarm: str = ""
    bans: tuple[BanView, ...] = ()
    panicked: bool = False


class ControlApi(Protocol):
    """What the faces may ask of the running pipeline."""

    @property
    def version(self) -> int:
        """Count the changes; equal versions mean nothing new to show."""
        ...

    def state(self) -> ShowStatus: ...

    async def submit(self, trigger: Trigger, *, decides: bool = True) -> Receipt: ...

    async def press(self, press: KeyPress) -> Receipt: ...

    async def cancel(self, request_id: str) -> bool: ...

    async def approve(self, request_id: str, by: str, verdict_id: str | None = None) -> bool: ...

    async def deny(self, request_id: str, by: str) -> bool: ...

    def cut(self) -> int: ...

    async def ban(self, who: str, by: str, minutes: float | None = None) -> str | None: ...

    async def unban(self, who: str) -> bool: ...

    async def forget(self, actor_id: str) -> int: ...

    async def clear(self, layer: str | None) -> None: ...

    async def undo(self, layer: str) -> bool: ...

    async def redo(self, layer: str) -> bool: ...

    async def show(self, picture_id: str) -> bool: ...

    async def panic(self) -> None: ...

    async def pause(self) -> None: ...

    async def resume(self) -> None: ...

    async def free(self) -> None: ...

    async def warm(self) -> None: ...
