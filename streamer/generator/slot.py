"""What a slot must offer: a place that draws one picture at a time, on this computer or elsewhere.

A kind of slot is a module in generator/slots with ``Options`` (which extend SlotOptions) and ``create(options, ...)``.
It is built before the event loop runs; ``run`` connects it, and keeps it connected.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from streamer.interfaces import Abilities, Health
from streamer.types import Frame, ImageRequest, Preview


@dataclass(frozen=True, slots=True)
class SlotPlace:
    """Where a slot draws, for people; ``here`` says that it takes this computer's GPU, which game mode frees.

    A ``standby`` slot draws only while no other one can.
    """

    name: str
    here: bool
    standby: bool = False


THIS_COMPUTER = SlotPlace("this computer", here=True)


class SlotOptions(BaseModel):
    """What every kind of slot can be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("", max_length=40, description="what the panel calls the slot; left out: by where it draws")
    standby: bool = Field(False, description="true: draws only while no other slot can")

    def place(self, default: str, *, here: bool) -> SlotPlace:
        """Return where the slot draws; ``default`` names it when its owner has not."""
        return SlotPlace(self.name or default, here, self.standby)


class Slot(Protocol):
    """Draws one picture at a time; belongs to the event loop that runs ``run``."""

    @property
    def place(self) -> SlotPlace:
        """Return where it draws."""
        ...

    @property
    def free(self) -> bool:
        """Tell whether a request would be drawn at once."""
        ...

    @property
    def active(self) -> Mapping[str, str]:
        """Name what is really in use; ``fallback`` says why it is not what was configured."""
        ...

    @property
    def abilities(self) -> Abilities:
        """Return what it can draw; everything is assumed until it is known."""
        ...

    @property
    def restarts(self) -> Mapping[str, int]:
        """Count its unexpected ends by cause."""
        ...

    def health(self) -> Health:
        """Return whether it draws, and if not, why."""
        ...

    async def run(self) -> None:
        """Keep it drawing until cancelled."""
        ...

    async def change(self) -> None:
        """Wait until its state may have changed."""
        ...

    def draw(self, request: ImageRequest) -> AsyncGenerator[Preview | Frame, None]:
        """Yield previews, then the frame; closing the iterator stops it at the next step.

        Raises BackendDied when the picture, or something in it, ended the slot; BackendLost when something else did.
        """
        ...

    def cancel(self, request_id: str) -> None:
        """Stop drawing this request; its ``draw`` raises BackendError at once."""
        ...

    def release_gpu(self) -> None:
        """Finish the picture being drawn, then free the GPU until ``reclaim_gpu``; only slots here are told."""
        ...

    def reclaim_gpu(self) -> None:
        """Draw again."""
        ...
