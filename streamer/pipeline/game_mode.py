"""Game mode: the GPU is released for a while, requests wait meanwhile, and the overlay says "back soon"."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from streamer.interfaces import Generator
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
    """Know whether the GPU is released: from ``release_gpu`` until something draws after ``reclaim_gpu``."""

    def __init__(self, options: GameModeOptions, generator: Generator) -> None:
        self._options, self._generator = options, generator
        self._away = False
        self.active = False
        """Whether the streamer wants the GPU released."""

    @property
    def away(self) -> bool:
        """Tell whether pictures wait for the GPU: it is released, or the generator has not come back yet."""
        return self._away

    @property
    def closed(self) -> bool:
        """Tell whether the picture being drawn is the last one until the GPU comes back."""
        return self.active and self._away

    @property
    def hold_s(self) -> float:
        """Return how long requests wait for the GPU to come back."""
        return self._options.hold_s

    def release_gpu(self) -> NoticeCard:
        """Let the picture being drawn finish, end the generator, and return the notice card to show.

        While another computer draws, pictures go on, and there is no card.
        """
        self.active = True
        self._away = self._generator.release_gpu()
        return NoticeCard(self._options.card, self._options.line) if self._away and self._options.card else NO_CARD

    def reclaim_gpu(self) -> None:
        """Start the generator again; the notice card stays until it is ready."""
        self.active = False
        self._generator.reclaim_gpu()

    def gpu_returned(self) -> bool:
        """Note that the generator is ready; tell whether it had been away."""
        was_away, self._away = self._away, self.closed
        return was_away and not self._away

    def objection(self, request: ImageRequest, now: float) -> Refusal | None:
        """Refuse a request while the GPU is released, if requests are not to wait for it."""
        if self._away and not self._options.hold_s:
            return Refusal(request.id, "parked", "pictures are taking a short break, try again later")
        return None
