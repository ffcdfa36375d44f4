"""What every painting function receives: the canvas, the colours, the idea, and the places of horizon and light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from streamer.generator.procedural.engine.canvas import Canvas
from streamer.generator.procedural.engine.noise import Noise
from streamer.generator.procedural.plan.cast import Figure
from streamer.generator.procedural.plan.idea import Idea
from streamer.generator.procedural.plan.layout import Setting
from streamer.generator.procedural.plan.tones import Tones


@dataclass(frozen=True)
class Scene:
    """One picture while it is painted; ``horizon`` is a row, ``sun`` the position of sun or moon, in canvas pixels.

    ``cast`` are the figures still to be set into it, ``setting`` is where it has room for them.
    """

    canvas: Canvas
    noise: Noise
    tones: Tones
    idea: Idea
    rng: np.random.Generator
    horizon: float
    sun: tuple[float, float]
    kind: str
    cast: tuple[Figure, ...]
    setting: Setting

    @property
    def width(self) -> int:
        return self.canvas.width

    @property
    def height(self) -> int:
        return self.canvas.height

    @property
    def unit(self) -> float:
        """Return the size of one design pixel: 1 where the short side has 720."""
        return self.canvas.unit

    @property
    def has_moon(self) -> bool:
        return self.tones.is_dark and "sun" not in self.idea.features

    @property
    def has_striped_sun(self) -> bool:
        """Tell whether the banded sun of the eighties stands in this sky."""
        return self.tones.is_dark and self.idea.has_striped_sun

    @property
    def is_portrait(self) -> bool:
        """Tell whether the picture is of the character alone (memes, stickers), not of a view with it."""
        return self.kind != "background"

    @property
    def is_snowy(self) -> bool:
        return self.idea.season == "winter" or self.idea.has("snow")


Stage = Callable[[Scene], None]
"""Paint one part of a scene over what is there already."""
