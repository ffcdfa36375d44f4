"""Choose the colours of a picture from the hour, the weather, the mood and the hues that a prompt names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from streamer.generator.procedural.engine.colour import Ink, lch, lighter, mix, ramp, rgb, saturate, toward_hue
from streamer.generator.procedural.plan.idea import Idea


@dataclass(frozen=True)
class Tones:
    """A palette in OKLab: ``sky`` from zenith to horizon, then what everything in front of it is mixed from."""

    hour: str
    sky: tuple[Ink, ...]
    haze: Ink
    near: Ink
    light: Ink
    ground: Ink
    accents: tuple[Ink, ...]

    @property
    def is_dark(self) -> bool:
        return self.hour == "night"

    def sky_ramp(self, count: int = 256) -> Ink:
        """Return the sky's colours from zenith to horizon as 3 x count RGB."""
        places = np.linspace(0, 1, len(self.sky))
        return ramp([(float(place), ink) for place, ink in zip(places, self.sky, strict=True)], count)

    def layer(self, depth: float) -> Ink:
        """Return the RGB of a silhouette: 0 is lost in the haze, 1 stands right in front of us."""
        return rgb(self.layer_lab(depth))

    def layer_lab(self, depth: float) -> Ink:
        return mix(self.haze, self.near, depth**0.85)

    def earth(self, depth: float) -> Ink:
        """Return the RGB of ground at a depth."""
        return rgb(mix(self.haze, self.ground, 0.25 + 0.75 * depth))

    def shine(self) -> Ink:
        """Return the RGB of the sun, the moon and what they light."""
        return rgb(self.light)

    def accent(self, index: int) -> Ink:
        return rgb(self.accents[index % len(self.accents)])


def _tones(
    hour: str, sky: list[tuple[float, float, float]], haze: Ink, near: Ink, light: Ink, ground: Ink, hues: list[float]
) -> Tones:
    accents = tuple(lch(0.78 if hour != "day" else 0.72, 0.15, hue) for hue in hues)
    return Tones(hour, tuple(lch(*stop) for stop in sky), haze, near, light, ground, accents)


# Each hour has several palettes, all tuned by eye on picture sheets; the seed chooses among them.
_NIGHT = [
    _tones(
        "night",
        [(0.19, 0.075, 272), (0.27, 0.09, 268), (0.38, 0.095, 262), (0.52, 0.085, 250)],
        lch(0.44, 0.085, 258), lch(0.155, 0.045, 270), lch(0.95, 0.035, 95), lch(0.22, 0.05, 262), [70, 340, 200],
    ),
    _tones(
        "night",
        [(0.18, 0.07, 290), (0.27, 0.10, 296), (0.40, 0.13, 312), (0.56, 0.13, 335)],
        lch(0.45, 0.11, 315), lch(0.16, 0.055, 290), lch(0.94, 0.05, 60), lch(0.24, 0.07, 300), [55, 190, 350],
    ),
    _tones(
        "night",
        [(0.19, 0.055, 250), (0.28, 0.07, 225), (0.40, 0.075, 205), (0.55, 0.08, 190)],
        lch(0.44, 0.07, 205), lch(0.15, 0.035, 235), lch(0.96, 0.04, 110), lch(0.22, 0.045, 215), [75, 30, 160],
    ),
]  # fmt: skip
_DUSK = [
    _tones(
        "dusk",
        [(0.34, 0.11, 285), (0.48, 0.14, 325), (0.66, 0.17, 20), (0.80, 0.15, 55), (0.90, 0.11, 80)],
        lch(0.68, 0.14, 30), lch(0.20, 0.07, 300), lch(0.95, 0.09, 85), lch(0.30, 0.08, 320), [60, 20, 300],
    ),
    _tones(
        "dusk",
        [(0.38, 0.09, 255), (0.55, 0.09, 275), (0.72, 0.11, 350), (0.83, 0.12, 40), (0.90, 0.09, 70)],
        lch(0.66, 0.09, 345), lch(0.22, 0.06, 270), lch(0.96, 0.07, 75), lch(0.32, 0.06, 285), [45, 350, 230],
    ),
    _tones(
        "dusk",
        [(0.42, 0.13, 15), (0.58, 0.17, 30), (0.72, 0.17, 48), (0.84, 0.15, 70), (0.92, 0.10, 88)],
        lch(0.72, 0.15, 48), lch(0.23, 0.08, 10), lch(0.97, 0.08, 92), lch(0.36, 0.10, 22), [75, 10, 340],
    ),
]  # fmt: skip
_DAWN = [
    _tones(
        "dawn",
        [(0.62, 0.08, 250), (0.74, 0.07, 275), (0.85, 0.07, 340), (0.93, 0.06, 50), (0.96, 0.05, 85)],
        lch(0.84, 0.055, 330), lch(0.36, 0.075, 270), lch(0.985, 0.05, 90), lch(0.55, 0.085, 150), [40, 340, 250],
    ),
    _tones(
        "dawn",
        [(0.60, 0.09, 215), (0.75, 0.075, 205), (0.88, 0.06, 150), (0.95, 0.08, 95)],
        lch(0.84, 0.055, 190), lch(0.34, 0.065, 215), lch(0.985, 0.06, 95), lch(0.54, 0.09, 140), [70, 20, 200],
    ),
]  # fmt: skip
_DAY = [
    _tones(
        "day",
        [(0.58, 0.14, 252), (0.70, 0.12, 242), (0.82, 0.08, 228), (0.93, 0.04, 205)],
        lch(0.83, 0.06, 232), lch(0.34, 0.085, 200), lch(0.99, 0.035, 95), lch(0.60, 0.13, 135), [30, 80, 350],
    ),
    _tones(
        "day",
        [(0.62, 0.11, 225), (0.74, 0.10, 212), (0.86, 0.07, 195), (0.95, 0.05, 120)],
        lch(0.84, 0.06, 200), lch(0.36, 0.08, 175), lch(0.99, 0.05, 95), lch(0.63, 0.13, 125), [45, 15, 280],
    ),
]  # fmt: skip
_NEON = [
    _tones(
        "night",
        [(0.18, 0.09, 285), (0.27, 0.13, 295), (0.42, 0.19, 320), (0.60, 0.22, 350), (0.76, 0.17, 30)],
        lch(0.46, 0.17, 325), lch(0.15, 0.07, 285), lch(0.90, 0.14, 70), lch(0.24, 0.10, 295), [350, 200, 60],
    ),
    _tones(
        "night",
        [(0.17, 0.07, 265), (0.25, 0.10, 265), (0.38, 0.14, 285), (0.54, 0.19, 325), (0.66, 0.18, 350)],
        lch(0.42, 0.14, 285), lch(0.145, 0.06, 268), lch(0.90, 0.12, 340), lch(0.22, 0.09, 270), [340, 195, 290],
    ),
]  # fmt: skip
_HOURS = {"night": _NIGHT, "dusk": _DUSK, "dawn": _DAWN, "day": _DAY}
_STORM = (lch(0.24, 0.025, 262), lch(0.36, 0.03, 255), lch(0.50, 0.035, 240), lch(0.68, 0.045, 205))


def choose(idea: Idea, rng: np.random.Generator) -> Tones:
    """Pick a palette for the idea and bend it to the weather, the moods and the hues it names."""
    hour = idea.time or _guess_hour(idea, rng)
    family = _NEON if idea.has("neon") and hour in ("night", "dusk") else _HOURS[hour]
    tones = family[int(rng.integers(len(family)))]
    tones = _season(_weather(tones, idea), idea)
    tones = _moods(tones, idea)
    return _hues(tones, idea)


def _guess_hour(idea: Idea, rng: np.random.Generator) -> str:
    if idea.has("neon", "aurora", "fireflies", "fireworks", "gloomy", "stars", "campfire"):
        return "night"
    if idea.has("storm"):
        return "dusk"
    if idea.weather & {"rainbow"} or idea.season == "summer":
        return "day"
    if idea.season in ("spring", "autumn"):
        return str(rng.choice(["day", "dawn", "dusk"]))
    if "sun" in idea.features or idea.has("epic"):
        return "dusk"
    weights = {"night": 0.3, "dusk": 0.35, "dawn": 0.15, "day": 0.2}
    if "city" in idea.places or idea.has("rain"):
        weights = {"night": 0.6, "dusk": 0.3, "dawn": 0.05, "day": 0.05}
    return str(rng.choice(list(weights), p=list(weights.values())))


def _each(tones: Tones, change: Callable[[Ink], Ink]) -> Tones:
    """Change every colour but the light and the accents."""
    return replace(
        tones,
        sky=tuple(change(ink) for ink in tones.sky),
        haze=change(tones.haze),
        near=change(tones.near),
        ground=change(tones.ground),
    )


def _weather(tones: Tones, idea: Idea) -> Tones:
    if idea.has("storm"):
        share = 0.5 if tones.is_dark else 0.75
        stops = np.linspace(0, len(_STORM) - 1, len(tones.sky))
        sky = tuple(mix(ink, _STORM[round(float(at))], share) for ink, at in zip(tones.sky, stops, strict=True))
        return replace(
            tones,
            sky=sky,
            haze=mix(tones.haze, _STORM[2], share * 0.8),
            near=mix(tones.near, lch(0.16, 0.03, 255), 0.6),
            ground=mix(tones.ground, lch(0.27, 0.035, 240), 0.6),
        )
    if idea.has("rain", "fog"):
        tones = _each(tones, lambda ink: saturate(ink, 0.72 if not idea.has("neon") else 1.0))
    return tones


def _season(tones: Tones, idea: Idea) -> Tones:
    bright = {"night": 0.0, "dusk": 0.06, "dawn": 0.1, "day": 0.12}[tones.hour]
    if idea.season == "winter" or idea.has("snow"):
        snow = {"night": lch(0.50, 0.06, 262), "dusk": lch(0.74, 0.07, 320), "dawn": lch(0.9, 0.035, 300)}
        return replace(tones, ground=snow.get(tones.hour, lch(0.95, 0.015, 235)))
    if idea.season == "autumn":
        return replace(tones, ground=mix(tones.ground, lch(0.40 + bright, 0.12, 50), 0.65))
    if idea.season == "spring":
        return replace(tones, ground=mix(tones.ground, lch(0.45 + bright, 0.12, 140), 0.5))
    return tones


def _moods(tones: Tones, idea: Idea) -> Tones:
    if idea.has("pastel"):
        tones = _each(tones, lambda ink: saturate(lighter(ink, 0.16 * (1.0 - float(ink[0]))), 0.8))
    if idea.has("vivid"):
        tones = _each(tones, lambda ink: saturate(ink, 1.35))
    if idea.has("warm"):
        tones = _each(tones, lambda ink: toward_hue(ink, 45, 0.18))
    if idea.has("cold"):
        tones = _each(tones, lambda ink: toward_hue(ink, 235, 0.3))
    if idea.has("gloomy"):
        tones = _each(tones, lambda ink: toward_hue(saturate(lighter(ink, -0.03), 0.75), 150, 0.25))
    return tones


def _hues(tones: Tones, idea: Idea) -> Tones:
    """Bend the picture toward the first hue named, and let the others be its accents."""
    if not idea.hues:
        turn = (idea.salt % 25) - 12
        return _each(tones, lambda ink: _turned(ink, turn))
    first, *others = idea.hues
    second = others[0] if others else first + 40
    sky = tuple(
        toward_hue(ink, first if i < len(tones.sky) / 2 else second, 0.72 if i < len(tones.sky) / 2 else 0.5)
        for i, ink in enumerate(tones.sky)
    )
    accents = tuple(lch(0.76, 0.16, hue) for hue in (*idea.hues, first + 150, first + 50))
    return replace(
        tones,
        sky=sky,
        accents=accents,
        haze=toward_hue(tones.haze, first, 0.6),
        near=toward_hue(tones.near, first, 0.5),
        ground=toward_hue(tones.ground, second, 0.5),
        light=toward_hue(tones.light, second, 0.3),
    )


def _turned(ink: Ink, degrees: float) -> Ink:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.concatenate((ink[:1], turn @ ink[1:])).astype(np.float32)
