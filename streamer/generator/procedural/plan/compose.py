"""Compose a picture: read the idea, choose the view, place the horizon and the light, and list the stages to paint."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from streamer.generator.procedural.engine.canvas import Canvas
from streamer.generator.procedural.engine.noise import Noise
from streamer.generator.procedural.engine.scene import Scene, Stage
from streamer.generator.procedural.plan import tones
from streamer.generator.procedural.plan.cast import Figure, Relation
from streamer.generator.procedural.plan.idea import Idea, read
from streamer.generator.procedural.plan.layout import Setting
from streamer.generator.procedural.plan.open_air import LAND, PAINTERS, Plan, open_air, peaks
from streamer.generator.procedural.plan.view import View, choose
from streamer.generator.procedural.scenery import (
    figures,
    flow,
    forest,
    ground,
    letters,
    perches,
    popart,
    room,
    sky,
    space,
    water,
    weather,
)

_HORIZONS = {"sea": 0.54, "lake": 0.58, "field": 0.5, "desert": 0.56, "city": 0.7, "forest": 0.52, "mountains": 0.66}

_SMALL = ("cabin", "boat")
"""What the scenery paints, but only far off."""

_DRAWN_ENOUGH = (0.6, 0.42, 0.25)
"""The share of a prompt's letters that must mean something, by the number of figures, for it to need no lettering."""


def stage_scene(
    prompt: str, kind: str, width: int, height: int, seed: int, noise: Noise, words: str | None = None,
    lettering: str | None = None,
) -> tuple[Scene, list[Stage]]:  # fmt: skip
    """Make an empty scene and the stages that will fill it, the same for the same arguments.

    ``words`` are the viewer's own part of the prompt; the rest of it may only say how the picture looks. ``lettering``
    is what may be written into the picture, the words themselves if it is None.
    """
    words = prompt if words is None else words
    view, idea = choose(read(words, prompt.replace(words, " ", 1) if words != prompt else ""), kind)
    idea = _in_front(idea if lettering is None else replace(idea, words=lettering))
    rng = np.random.default_rng(_entropy(idea.salt, seed, kind))
    colours = tones.choose(idea, rng)
    horizon = height * _horizon(view, idea, rng)
    hang = {"night": (0.2, 0.45), "dusk": (0.72, 0.92), "dawn": (0.7, 0.9), "day": (0.2, 0.4)}[colours.hour]
    x = width * float(rng.choice([rng.uniform(0.2, 0.4), rng.uniform(0.6, 0.8)]))
    sun = (x, horizon * float(rng.uniform(*hang)))
    if idea.has_striped_sun and colours.is_dark:
        sun = (width * 0.5, horizon * 0.72)
    plan = _lettered(_PLANS[view](idea, horizon / height), view, idea, kind)
    if kind == "sticker" and plan.setting.portrait:
        plan = replace(plan, setting=replace(plan.setting, portrait=0.84))
    cast = _unpainted(idea.cast, plan.stages)
    scene = Scene(Canvas(width, height), noise, colours, idea, rng, horizon, sun, kind, cast, plan.setting)
    stages = [stage for stage in plan.stages if cast or stage not in figures.STAGES]
    return scene, stages if kind != "sticker" else _cut_out(stages)


def _cut_out(stages: list[Stage]) -> list[Stage]:
    """Leave a sticker nothing behind what is cut out; a view becomes a badge."""
    if figures.stickers in stages or letters.poster in stages:
        return [stage for stage in stages if stage not in (popart.paint, flow.paint)]
    return [*stages, figures.badge]


def _lettered(plan: Plan, view: View, idea: Idea, kind: str) -> Plan:
    """Add the viewer's words where too little of them can be drawn; what flies makes room for a title."""
    if not idea.words or idea.understood >= _DRAWN_ENOUGH[min(2, len(idea.cast))]:
        return plan
    if not idea.cast and (view in (View.POSTER, View.PATTERN) or kind != "background"):
        return replace(plan, stages=[*plan.stages, letters.poster])
    if kind != "background":
        return plan  # a meme has captions, and its figure fills the rest
    low = plan.setting.sky[1]
    setting = replace(plan.setting, sky=(min(0.3, low * 0.6), low), title=True)
    return Plan([*plan.stages, letters.title], setting)


def _entropy(salt: int, seed: int, kind: str) -> int:
    text = f"{salt}/{seed}/{kind}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def _horizon(view: View, idea: Idea, rng: np.random.Generator) -> float:
    """Choose the horizon's share of the height: water and fields need room, cities and peaks need sky."""
    jitter = float(rng.uniform(-0.04, 0.04))
    if view is not View.LAND:
        return {View.MOON: 0.62, View.ICE: 0.5, View.HEIGHTS: 0.62}.get(view, 0.6) + jitter * 0.5
    place = next((name for name in idea.places if name in LAND), "")
    if {"sea", "lake"} & set(idea.places) and place not in ("city", "sea", "lake"):
        place = "lake"
    return _HORIZONS.get(place, 0.6) + jitter


def _in_front(idea: Idea) -> Idea:
    """Show a house or a boat large, not far off in the scenery, where it is all there is or somebody is on it."""
    alone = len(idea.cast) == 1
    shown = {
        figure.kind.painted
        for index, figure in enumerate(idea.cast)
        if figure.kind.painted in _SMALL and (alone or any(other.tied_to == index for other in idea.cast))
    }
    return replace(idea, features=idea.features - shown)


def _unpainted(cast: Sequence[Figure], stages: Sequence[Stage]) -> tuple[Figure, ...]:
    """Leave out what the scenery paints itself, unless another figure is on or in it."""
    held = {figure.tied_to for figure in cast if figure.relation in (Relation.ON, Relation.IN)}
    kept = [index for index, figure in enumerate(cast) if index in held or not _is_painted(figure, stages)]
    moved: dict[int | None, int] = {old: new for new, old in enumerate(kept)}
    return tuple(replace(cast[index], tied_to=moved.get(cast[index].tied_to)) for index in kept)


def _is_painted(figure: Figure, stages: Sequence[Stage]) -> bool:
    """Tell whether the scenery paints this landmark itself, in which case it is not pasted as well."""
    painter = PAINTERS.get(figure.kind.painted)
    return painter is not None and figure.dye is None and any(stage in painter for stage in stages)


def _in_a_room(idea: Idea, horizon: float) -> Plan:
    return Plan([room.paint, figures.paint], Setting((0.86, 0.97), (0.14, 0.5), lamplit=True))


def _at_a_table(idea: Idea, horizon: float) -> Plan:
    """Sit those who live behind the table, and lay things on it."""
    setting = Setting((0.86, 0.88), (0.1, 0.5), shelf=perches.TABLE_ROW + 0.13, behind_shelf=True, lamplit=True)
    if any(figure.is_alive for figure in idea.cast):
        return Plan([perches.table_room, figures.paint_behind, perches.table, figures.paint_before], setting)
    return Plan([perches.table_room, perches.table, figures.paint], setting)


def _at_a_window(idea: Idea, horizon: float) -> Plan:
    return Plan([perches.sill, figures.paint], Setting(shelf=perches.SILL_ROW, sky=(0.12, 0.5), lamplit=True))


def _on_a_branch(idea: Idea, horizon: float) -> Plan:
    land_plan = open_air(
        replace(idea, places=tuple(name for name in idea.places if name in LAND) or ("forest",)), horizon
    )
    behind = [
        stage for stage in land_plan.stages if stage not in (figures.paint, forest.grass, forest.frame, weather.paint)
    ]
    stages = [*behind, perches.soften, perches.branch, figures.paint, weather.paint]
    return Plan(stages, Setting(shelf=perches.BRANCH_ROW + 0.015, sky=(0.08, 0.4)))


def _on_a_stage(idea: Idea, horizon: float) -> Plan:
    row = perches.STAGE_ROW
    return Plan([perches.stage, figures.paint], Setting((row + 0.02, 0.94), (0.12, 0.5), lamplit=True))


def _in_space(idea: Idea, horizon: float) -> Plan:
    return Plan([space.nebula, space.worlds, figures.paint], Setting(floats=True))


def _on_the_moon(idea: Idea, horizon: float) -> Plan:
    return Plan([ground.moonscape, figures.paint], Setting((horizon + 0.12, 0.93), (0.08, horizon * 0.7)))


def _under_water(idea: Idea, horizon: float) -> Plan:
    return Plan([space.underwater, figures.paint], Setting(floats=True))


def _on_ice(idea: Idea, horizon: float) -> Plan:
    stages = [sky.paint, peaks, water.paint, ground.ice, figures.paint, weather.paint]
    return Plan(stages, Setting((0.83, 0.95), (0.08, horizon * 0.75), (horizon + 0.06, 0.74)))


def _above_the_clouds(idea: Idea, horizon: float) -> Plan:
    return Plan([sky.paint, ground.cloudtops, figures.paint], Setting((0.84, 0.93), (0.1, 0.74)))


def _as_a_poster(idea: Idea, horizon: float) -> Plan:
    stages: list[Stage] = [popart.paint, figures.stickers] if idea.cast else [popart.paint]
    return Plan(stages, Setting(portrait=0.62))


def _as_a_pattern(idea: Idea, horizon: float) -> Plan:
    return Plan([flow.paint], Setting(portrait=0.62))


_PLANS = {
    View.LAND: open_air, View.ROOM: _in_a_room, View.TABLE: _at_a_table, View.SILL: _at_a_window,
    View.BRANCH: _on_a_branch, View.STAGE: _on_a_stage, View.SPACE: _in_space, View.MOON: _on_the_moon,
    View.UNDERWATER: _under_water, View.ICE: _on_ice, View.HEIGHTS: _above_the_clouds, View.POSTER: _as_a_poster,
    View.PATTERN: _as_a_pattern,
}  # fmt: skip
