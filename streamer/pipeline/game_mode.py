"""Game mode: the GPU is released for a while, requests wait meanwhile, and the overlay says "back soon"."""

from __future__ import annotations

from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field

from streamer.interfaces import Generator
from streamer.pipeline.scheduler import Scheduler
from streamer.types import ImageRequest, NoticeCard, Refusal

NO_CARD = NoticeCard("", "")


class GameModeOptions(BaseModel):
    """What happens while the GPU is free; ``generator.parked`` in config.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hold_s: float = Field(
        900.0,
        ge=0,
        le=86_400,
        description="how long requests wait for the GPU to come back; 0 refuses them with a reason",
    )
    card: str = Field("Back soon", max_length=60, description='headline of the card on the overlay; "" shows no card')
    line: str = Field(
        "Pictures are taking a short break", max_length=120, description="smaller line below the headline"
    )


class GameMode:
    """Know whether the GPU is released: from ``release_gpu`` until the generator is ready after ``reclaim_gpu``."""

    def __init__(self, options: GameModeOptions, generator: Generator, scheduler: Scheduler) -> None:
        self._options, self._generator, self._scheduler = options, generator, scheduler
        self._away = False
        self.active = False
        """Whether the streamer wants the GPU released."""

    def release_gpu(self, now: float) -> NoticeCard:
        """Let the picture being drawn finish, end the generator, and return the notice card to show."""
        self.active = self._away = True
        self._generator.release_gpu()
        self._scheduler.prolong(now + self._options.hold_s)
        return NoticeCard(self._options.card, self._options.line) if self._options.card else NO_CARD

    def reclaim_gpu(self) -> None:
        """Start the generator again; the notice card stays until it is ready."""
        self.active = False
        self._generator.reclaim_gpu()

    def gpu_returned(self) -> bool:
        """Note that the generator is ready; tell whether it had been away."""
        was_away, self._away = self._away, self.active
        return was_away and not self._away

    def admit(self, request: ImageRequest, now: float) -> ImageRequest | Refusal:
        """Let a request wait for as long as the GPU may be released, or refuse it."""
        if not self._away:
            return request
        if not self._options.hold_s:
            return Refusal(request.id, "parked", "pictures are taking a short break, try again later")
        return replace(request, expires_at=max(request.expires_at, now + self._options.hold_s))
