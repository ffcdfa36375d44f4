"""Compose a picture: read the idea, place the horizon and the light, and list the stages to paint."""

from __future__ import annotations

import hashlib

import numpy as np

from streamer.generator.procedural.engine.canvas import Canvas
from streamer.generator.procedural.engine.noise import Noise
from streamer.generator.procedural.engine.scene import Scene, Stage
from streamer.generator.procedural.figures import subject
from streamer.generator.procedural.plan import tones
from streamer.generator.procedural.plan.idea import Idea, read
from streamer.generator.procedural.scenery import (
    city,
    flow,
    forest,
    land,
    landmarks,
    popart,
    room,
    sights,
    sky,
    space,
    water,
    weather,
)

_ON_LAND = ("mountains", "city", "village", "sea", "lake", "forest", "desert", "field")


def stage_scene(prompt: str, kind: str, width: int, height: int, seed: int, noise: Noise) -> tuple[Scene, list[Stage]]:
    """Make an empty scene and the stages that will fill it, the same for the same arguments."""
    idea = read(prompt)
    rng = np.random.default_rng(_entropy(idea.salt, seed, kind))
    colours = tones.choose(idea, rng)
    horizon = height * _horizon(idea, rng)
    hang = {"night": (0.2, 0.45), "dusk": (0.72, 0.92), "dawn": (0.7, 0.9), "day": (0.2, 0.4)}[colours.hour]
    x = width * float(rng.choice([rng.uniform(0.2, 0.4), rng.uniform(0.6, 0.8)]))
    sun = (x, horizon * float(rng.uniform(*hang)))
    if idea.has_striped_sun and colours.is_dark:
        sun = (width * 0.5, horizon * 0.72)
    scene = Scene(Canvas(width, height), noise, colours, idea, rng, horizon, sun, kind)
    return scene, _stages(idea, kind)


def _entropy(salt: int, seed: int, kind: str) -> int:
    text = f"{salt}/{seed}/{kind}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def _horizon(idea: Idea, rng: np.random.Generator) -> float:
    """Choose the horizon's share of the height: water and fields need room, cities and peaks need sky."""
    place = next((name for name in idea.places if name in _ON_LAND), "")
    middle = {"sea": 0.54, "lake": 0.58, "field": 0.5, "desert": 0.56, "city": 0.7, "forest": 0.52, "mountains": 0.66}
    return middle.get(place, 0.6) + float(rng.uniform(-0.04, 0.04))


def _stages(idea: Idea, kind: str) -> list[Stage]:
    """List what to paint, back to front."""
    meme = kind != "background"
    if "abstract" in idea.places and not idea.subjects:
        stages: list[Stage] = [flow.paint]
    elif _is_indoors(idea, meme):
        stages = [room.paint]
    elif "underwater" in idea.places:
        stages = [space.underwater]
    elif "space" in idea.places and not set(idea.places) & set(_ON_LAND):
        stages = [space.nebula, space.worlds]
    elif set(idea.places) & set(_ON_LAND) or _is_outdoors(idea, meme):
        stages = [sky.paint, *_land(idea), weather.paint]
    elif meme or idea.subjects:
        stages = [popart.paint]
    else:
        stages = [flow.paint]
    return [*stages, subject.paint] if subject.chosen(idea, kind) else stages


def _is_indoors(idea: Idea, meme: bool) -> bool:
    """Tell whether the prompt means a room; furniture alone means one only if nothing outdoors is named."""
    outside = set(idea.places) & set(_ON_LAND) or idea.features & {"cabin", "campfire", "castle"}
    furnished = bool(idea.features & {"cosy", "computer", "books", "fireplace"}) and not meme
    return "room" in idea.places or (furnished and not outside)


def _is_outdoors(idea: Idea, meme: bool) -> bool:
    """Tell whether weather, hour, season or a landmark asks for a view although no place is named."""
    named = idea.features - {
        "computer",
        "books",
        "plants",
        "fireplace",
        "cactus",
        "castle",
        "stars",
        "rings",
        "cosy",
        "roof",
    }
    if meme:
        return bool(idea.weather or named - {"sun", "moon", "balloon", "boat", "tree", "birds", "planet"})
    return bool(idea.weather or idea.features or idea.time or idea.season or "neon" in idea.moods)


def _land(idea: Idea) -> list[Stage]:
    places = [name for name in idea.places if name in _ON_LAND]
    stages: list[Stage] = []
    if "storm" in idea.weather:
        stages.append(weather.lightning)
    if "volcano" in idea.features:
        stages.append(sights.volcano)
    elif _wants_peaks(idea, places):
        stages.append(_peaks)
    if "balloon" in idea.features:
        stages.append(sights.balloons)
    if "birds" in idea.features or (idea.time in ("dusk", "dawn", "day") and "storm" not in idea.weather):
        stages.append(sights.birds)
    return [*stages, *_ground(idea, places), *_front(idea, places)]


def _wants_peaks(idea: Idea, places: list[str]) -> bool:
    return (
        "mountains" in places or not places or places[0] in ("lake", "forest", "village") or "castle" in idea.features
    )


def _ground(idea: Idea, places: list[str]) -> list[Stage]:
    """Choose what stands between the far range and the viewer."""
    watery = {"sea", "lake"} & set(places) or idea.features & {"lighthouse", "boat", "bridge"}
    stages: list[Stage] = []
    if "castle" in idea.features:
        stages.append(_castle_hill)
    if "city" in places:
        stages += [_far_city, _near_city]
    if watery:
        stages += [_far_shore] if "city" not in places and "sea" not in places else []
        stages += [landmarks.bridge] if "bridge" in idea.features else []
        return [*stages, _water, *([land.beach] if "beach" in idea.features else [])]
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


def _front(idea: Idea, places: list[str]) -> list[Stage]:
    """Choose landmarks and what frames the view."""
    wanted: list[tuple[bool, Stage]] = [
        ("lighthouse" in idea.features, landmarks.lighthouse),
        ("boat" in idea.features, sights.boat),
        ("windmill" in idea.features, _windmill),
        (("cabin" in idea.features and "city" not in places) or "village" in places, _cabins),
        ("campfire" in idea.features, _camp),
        ("cactus" in idea.features or ("desert" in places and "pyramid" not in idea.features), sights.cacti),
        (_wants_beams(idea), weather.beams),
        ("forest" in places and idea.has("tree"), forest.birches),
        (
            bool({"sea", "lake", "mountains"} & set(places))
            or not (places or idea.has_striped_sun)
            or "tree" in idea.features,
            forest.frame,
        ),
        (bool({"field", "village", "lake"} & set(places)), forest.grass),
    ]
    return [stage for needed, stage in wanted if needed and not (stage is forest.frame and "city" in places)]


def _wants_beams(idea: Idea) -> bool:
    return not idea.has("storm", "rain", "snow", "aurora")


def _peaks(scene: Scene) -> None:
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
    if not roof and (scene.idea.has("rain", "neon", "storm") or scene.rng.random() < 0.6):
        city.promenade(scene)
        water.paint(scene, calm=0.8)
        return
    canvas = scene.canvas
    foot = canvas.rgb[:, round(scene.horizon) - 1 : round(scene.horizon)]
    canvas.rgb[:, round(scene.horizon) :] = foot
    city.rooftops(scene)


def _castle_hill(scene: Scene) -> None:
    x = scene.width * float(scene.rng.uniform(0.36, 0.64))
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
        x = scene.width * (float(scene.rng.uniform(0.1, 0.9)) if count > 1 else float(scene.rng.uniform(0.3, 0.7)))
        landmarks.cabin(scene, x, scene.horizon + low * (0.2 + 0.14 * index if count > 1 else 0.42), size)


def _camp(scene: Scene) -> None:
    foot = scene.horizon + (scene.height - scene.horizon) * 0.72
    sights.campfire(scene, scene.width * float(scene.rng.uniform(0.35, 0.65)), foot, 58 * scene.unit)
