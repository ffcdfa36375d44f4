"""Plan a view under the open sky: what stands where from far to near, and where figures have room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from streamer.generator.procedural.engine.scene import Scene, Stage
from streamer.generator.procedural.plan.idea import Idea
from streamer.generator.procedural.plan.kinds import Habitat
from streamer.generator.procedural.plan.layout import Setting
from streamer.generator.procedural.scenery import (
    city,
    figures,
    forest,
    ground,
    land,
    landmarks,
    sights,
    sky,
    water,
    weather,
)

LAND = ("mountains", "city", "village", "sea", "lake", "forest", "desert", "field")
"""The places that lie under the open sky and have painters of their own."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to paint, back to front, and where it leaves room for figures."""

    stages: Sequence[Stage]
    setting: Setting


def open_air(idea: Idea, horizon: float) -> Plan:
    """Plan a view under the open sky."""
    places = [name for name in idea.places if name in LAND]
    watery = _is_watery(idea, places)
    stages: list[Stage] = [sky.paint]
    if "storm" in idea.weather:
        stages.append(weather.lightning)
    if "volcano" in idea.features:
        stages.append(sights.volcano)
    elif _wants_peaks(idea, places):
        stages.append(peaks)
    if "balloon" in idea.features:
        stages.append(sights.balloons)
    if "birds" in idea.features or (idea.time in ("dusk", "dawn", "day") and "storm" not in idea.weather):
        stages.append(sights.birds)
    stages += [*_ground(idea, places, watery), *_front(idea, places)]
    standing = any(figure.kind.habitat.value in ("ground", "far", "thing", "air") for figure in idea.cast)
    setting = _land_setting(idea, places, horizon, watery=watery)
    stages += _underfoot(idea, places, watery=watery, standing=standing)
    stages.append(figures.paint)
    if {"field", "village", "lake"} & set(places) and not {"road", "rails"} & set(idea.places):
        stages.append(forest.grass)
    return Plan([*stages, weather.paint], setting)


def _is_watery(idea: Idea, places: list[str]) -> bool:
    return bool({"sea", "lake"} & set(places) or idea.features & {"lighthouse", "boat", "bridge"})


def _underfoot(idea: Idea, places: list[str], *, watery: bool, standing: bool) -> list[Stage]:
    """Choose what is laid across the foreground for those who stand there."""
    if "rails" in idea.places:
        return [ground.rails]
    if "road" in idea.places or _drives(idea):
        return [ground.road]
    if watery and standing and "beach" not in idea.features and not _shore_village(idea):
        return [land.beach if "sea" in places and "city" not in places else ground.bank]
    return []


def _drives(idea: Idea) -> bool:
    """Tell whether a car or the like is shown outside of a city, a desert and the snow, where it needs no road."""
    moving = any(figure.kind.rides_on_roads for figure in idea.cast)
    return moving and not {"desert", "sea", "city"} & set(idea.places)


def _land_setting(idea: Idea, places: list[str], horizon: float, *, watery: bool) -> Setting:
    below = 1 - horizon
    air = (0.07, max(0.3, horizon * 0.72))
    if "rails" in idea.places:
        return Setting((0.885, 0.9), air)
    if "road" in idea.places or _drives(idea):
        return Setting((0.85, 0.955), air)
    if watery:
        water_rows = (horizon + below * 0.12, 0.84 if "beach" not in idea.features else 0.78)
        return Setting((0.87, 0.965), air, water_rows)
    if "city" in places:
        return (
            Setting((0.85, 0.88), air)
            if idea.has("roof")
            else Setting((horizon + below * 0.3, 0.96), air, mirrors=True)
        )
    if "forest" in places:
        return Setting((0.8, 0.965), air)
    return Setting((horizon + below * 0.4, 0.95), air)


def _wants_peaks(idea: Idea, places: list[str]) -> bool:
    return (
        "mountains" in places or not places or places[0] in ("lake", "forest", "village") or "castle" in idea.features
    )


def _shore_village(idea: Idea) -> bool:
    return ("village" in idea.places or "cabin" in idea.features) and bool({"sea", "lake"} & set(idea.places))


def _ground(idea: Idea, places: list[str], watery: bool) -> list[Stage]:
    """Choose what stands between the far range and the viewer."""
    stages: list[Stage] = []
    if "castle" in idea.features:
        stages.append(_castle_hill)
    if "city" in places:
        stages += [_far_city, _near_city]
    if watery:
        stages += [_far_shore] if "city" not in places and "sea" not in places else []
        stages += [landmarks.bridge] if "bridge" in idea.features else []
        stages += [_water]
        if _shore_village(idea):
            return [*stages, landmarks.shore_village]
        return [*stages, *([land.beach] if "beach" in idea.features else [])]
    if "desert" in places:
        return [*stages, *([landmarks.pyramids] if "pyramid" in idea.features else []), land.dunes]
    if "forest" in places:
        return [*stages, forest.ranks]
    if ("field" in places or "village" in places) and "castle" not in idea.features:
        return [*stages, land.meadow]
    if "city" in places:
        return [*stages, _city_front]
    if idea.has_striped_sun:
        return [*stages, land.grid]
    return [*stages, _foothills if "castle" not in idea.features else forest.ranks]


def _sails(idea: Idea) -> bool:
    """Tell whether a drawing of a boat is shown, so that none has to be painted."""
    return any(figure.kind.habitat is Habitat.AFLOAT and figure.kind.painted != "boat" for figure in idea.cast)


def _front(idea: Idea, places: list[str]) -> list[Stage]:
    """Choose landmarks and what frames the view."""
    housed = ("cabin" in idea.features and "city" not in places) or "village" in places
    wanted: list[tuple[bool, Stage]] = [
        ("lighthouse" in idea.features, landmarks.lighthouse),
        ("boat" in idea.features and not _shore_village(idea) and not _sails(idea), sights.boat),
        ("windmill" in idea.features, _windmill),
        (housed and not _shore_village(idea), _cabins),
        ("campfire" in idea.features, _camp),
        ("cactus" in idea.features or ("desert" in places and "pyramid" not in idea.features), sights.cacti),
        (_wants_beams(idea), weather.beams),
        ("forest" in places and idea.has("tree"), forest.birches),
        (_wants_frame(idea, places), forest.frame),
    ]
    return [stage for needed, stage in wanted if needed]


def _wants_frame(idea: Idea, places: list[str]) -> bool:
    framed = bool({"sea", "lake", "mountains"} & set(places)) or not (places or idea.has_striped_sun)
    return (framed or "tree" in idea.features) and "city" not in places and not _shore_village(idea)


def _wants_beams(idea: Idea) -> bool:
    return not idea.has("storm", "rain", "snow", "aurora")


def peaks(scene: Scene) -> None:
    """Paint three mountain ranges, the middle one the tallest, with mist between them."""
    leading = not scene.has_striped_sun and (scene.idea.places or ("mountains",))[0] == "mountains"
    tall = scene.horizon * (0.74 if leading else 0.46)
    snow = scene.is_snowy or bool(scene.rng.random() < 0.75 and not scene.has_striped_sun)
    foot = scene.horizon + 14 * scene.unit
    land.range_of_mountains(scene, foot, tall * 0.72, 0.18, peaks=4, snow=snow)
    land.mist(scene, foot - tall * 0.12, tall * 0.14, 0.4)
    land.range_of_mountains(scene, foot, tall, 0.38, peaks=2, snow=snow)
    land.mist(scene, foot - tall * 0.04, tall * 0.14, 0.45)
    if leading:
        land.range_of_mountains(scene, foot, tall * 0.42, 0.6, peaks=4, snow=False)
        land.mist(scene, foot, tall * 0.1, 0.5)


def _foothills(scene: Scene) -> None:
    """Close a view without a named foreground with wooded hills."""
    for index in range(3):
        depth = 0.62 + 0.17 * index
        base = scene.horizon + (scene.height - scene.horizon) * (0.12 + 0.36 * index)
        forest.rank(scene, base, (34 + 34 * index) * scene.unit, min(0.69, depth))
        land.mist(scene, base + 30 * scene.unit, 34 * scene.unit, 0.22)


def _far_city(scene: Scene) -> None:
    tall = scene.horizon * 0.72
    for depth, share in ((0.12, 0.72), (0.32, 1.0), (0.55, 0.8)):
        city.skyline(scene, scene.horizon + 2, tall * share, depth)
        land.mist(scene, scene.horizon - 14 * scene.unit, tall * 0.14, 0.4)


def _near_city(scene: Scene) -> None:
    city.skyline(scene, scene.horizon + 2 * scene.unit, scene.horizon * 0.5, 0.82)


def _city_front(scene: Scene) -> None:
    """Close the city with water or wet asphalt that mirrors it, or with the roofs around the viewer."""
    roof = scene.idea.has("roof")
    if not roof and (scene.cast or scene.idea.has("rain", "neon", "storm") or scene.rng.random() < 0.6):
        city.promenade(scene)
        water.paint(scene, calm=0.8)
        return
    canvas = scene.canvas
    foot = canvas.rgb[:, round(scene.horizon) - 1 : round(scene.horizon)]
    canvas.rgb[:, round(scene.horizon) :] = foot
    city.rooftops(scene)


def _castle_hill(scene: Scene) -> None:
    at = float(scene.rng.uniform(0.36, 0.64))
    x = scene.width * (at if not scene.cast else 0.27 if at < 0.5 else 0.73)
    foot = scene.horizon - 30 * scene.unit
    landmarks.castle(scene, x, foot - 26 * scene.unit, min(260 * scene.unit, scene.horizon * 0.5), 0.62)
    rise = np.exp(-(((scene.canvas.x - x) / (270 * scene.unit)) ** 4)).astype(np.float32) * 84 * scene.unit
    edge = (
        scene.horizon + 18 * scene.unit - rise + 8 * scene.unit * np.sin(scene.canvas.x / (50 * scene.unit))
    ).astype(np.float32)
    scene.canvas.below(edge, scene.tones.layer(0.66), scene.tones.layer(0.4), 120 * scene.unit)


def _far_shore(scene: Scene) -> None:
    forest.rank(scene, scene.horizon + 6 * scene.unit, 42 * scene.unit, 0.6)


def _water(scene: Scene) -> None:
    calm = 0.82 if "lake" in scene.idea.places or scene.idea.has("calm") else 0.5
    calm = 0.78 if "city" in scene.idea.places else calm
    water.paint(scene, calm=0.15 if scene.idea.has("storm") else calm)


def _windmill(scene: Scene) -> None:
    foot = scene.horizon + 26 * scene.unit
    landmarks.windmill(scene, scene.width * float(scene.rng.uniform(0.25, 0.75)), foot, 190 * scene.unit)


def _cabins(scene: Scene) -> None:
    count = 4 if "village" in scene.idea.places else 1
    low = scene.height - scene.horizon
    for index in range(count):
        size = (46 + 26 * index if count > 1 else 88) * scene.unit
        x = scene.width * (float(scene.rng.uniform(0.1, 0.9)) if count > 1 else _aside(scene))
        landmarks.cabin(scene, x, scene.horizon + low * (0.2 + 0.14 * index if count > 1 else 0.42), size)


def _aside(scene: Scene) -> float:
    """Choose where a single house or camp stands: near the middle, or out of the way of figures."""
    at = float(scene.rng.uniform(0.3, 0.7))
    return at if not scene.cast else 0.2 if at < 0.5 else 0.8


def _camp(scene: Scene) -> None:
    foot = scene.horizon + (scene.height - scene.horizon) * 0.72
    sights.campfire(scene, scene.width * _aside(scene), foot, 58 * scene.unit)


PAINTERS: dict[str, tuple[Stage, ...]] = {
    "castle": (_castle_hill,),
    "cabin": (_cabins, landmarks.shore_village),
    "boat": (sights.boat, landmarks.shore_village),
    "cactus": (sights.cacti,),
    "palm": (forest.frame,),
    "tree": (forest.frame, forest.birches),
    "forest": (forest.ranks, forest.frame),
    "campfire": (_camp,),
    "volcano": (sights.volcano,),
}
"""The stages that paint each landmark."""
