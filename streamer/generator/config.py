"""The options of the generator process, and everything that is needed to start one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from streamer.generator.ipc import PROCEDURAL, BackendUse, Begin, JudgeUse
from streamer.types import Lora

BLURRED_PX = 32
"""Longest side of a picture in which nothing can be recognized; the limit for everybody below a moderator."""


class WorkerOptions(BaseModel):
    """How long the generator process may take over things, and how often it may die."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deadline_s: float = Field(20.0, gt=0, description="longest time for one picture, and longest wait for a restart")
    step_timeout_s: float = Field(
        10.0,
        gt=0,
        description="a process that finishes no step or judgement for this long counts as hung and is replaced",
    )
    start_timeout_s: float = Field(
        900.0,
        gt=0,
        description="a process that makes no progress in loading for this long counts as hung and is replaced",
    )
    restart_delays_s: tuple[float, ...] = Field(
        (0, 1, 2, 5, 10, 30), min_length=1, description="wait before the first, second, ... restart"
    )
    give_up_after: int = Field(
        5, ge=1, description="this many crashes within give_up_window_s switch to the procedural backend"
    )
    give_up_window_s: float = Field(600.0, gt=0, description="how long a crash counts")
    fallback_retry_s: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        (60, 120, 300, 600),
        description="wait before the first, second, ... trial of the wanted backend after that switch, while the "
        "procedural backend draws on in a process of its own; [] tries no more until the next start",
    )
    trial_pictures: int = Field(
        10, ge=1, description="a trial is over after this many pictures; a crash before that starts the next wait"
    )
    poison_after: int = Field(
        2,
        ge=1,
        description="a picture that crashed this many processes is refused: the same text, size, command, reference "
        "and LoRAs, whatever its seed",
    )
    poison_for_s: float = Field(21600.0, gt=0, description="how long it is refused, and such a crash counts")
    jpeg_quality: int = Field(88, ge=50, le=100, description="JPEG quality; 85 to 90 is sensible")
    preview_width: int = Field(
        BLURRED_PX,
        ge=8,
        le=BLURRED_PX,
        description="longest side of a blurred preview in pixels, at most 32, so that nothing is recognizable",
    )
    trusted_preview_width: int = Field(
        256,
        ge=8,
        le=512,
        description="the same for your own requests (keys, panel, chat) and those of moderators; these previews "
        "are sharp unless a judge is set; 32 always blurs them",
    )


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """Which backend draws, which (width, height) pairs it warms up, and which backend replaces it.

    ``home`` is the state directory. ``loras`` are those of all styles. ``worker`` names a worker on another computer:
    that one decides by its own config what draws, and how often a process of its own may die. ``layouts`` are the
    user's own, if they are not below home. ``as_asked`` leaves the size of previews to the request: it was decided by
    whoever sent it.
    """

    options: WorkerOptions
    backend: BackendUse
    sizes: Sequence[tuple[int, int]]
    home: Path
    judges: tuple[JudgeUse, ...] = ()
    fallback: BackendUse = PROCEDURAL
    loras: tuple[Lora, ...] = ()
    worker: str = ""
    layouts: Path | None = None
    as_asked: bool = False

    @property
    def expected_judges(self) -> tuple[str, ...]:
        """Name the judges that must have judged every picture, also one that the fallback backend drew."""
        return (*(judge.name for judge in self.judges if judge.always), *self.backend.opinions)

    @property
    def preview_widths(self) -> tuple[int, int]:
        """Return the longest side of previews in pixels, for viewers and for whoever is trusted."""
        # Whoever configured a judge wants it to look first, whoever asked for the picture.
        judged = bool(self.judges or self.backend.opinions)
        options = self.options
        return options.preview_width, options.preview_width if judged else options.trusted_preview_width

    def begin(self, backend: BackendUse) -> Begin:
        """Build the first message to a process that draws with ``backend``."""
        layouts = self.layouts or self.home / "layouts"
        return Begin(backend, tuple(self.sizes), self.options.jpeg_quality, layouts, self.judges, self.loras)
