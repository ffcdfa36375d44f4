"""Views under the open sky: the ground that figures need is there, and they stand on it."""

from __future__ import annotations

import pytest

from streamer.generator.procedural.plan.idea import read
from streamer.generator.procedural.plan.open_air import open_air
from streamer.generator.procedural.plan.view import choose
from streamer.generator.procedural.scenery import forest, ground, land, landmarks, sights
from tests.support.drawings import drawings

HORIZON = 0.55


def planned(prompt: str) -> tuple[list[object], tuple[float, float], tuple[float, float] | None]:
    with drawings(cat="1f408", car="1f697", ship="1f6a2", bear="1f43b", bicycle="1f6b2"):
        plan = open_air(choose(read(prompt), "background")[1], HORIZON)
    return list(plan.stages), plan.setting.floor, plan.setting.water


@pytest.mark.parametrize(
    ("prompt", "underfoot"),
    [
        ("cat by the sea", land.beach), ("cat by the lake", ground.bank), ("car in the mountains", ground.road),
        ("cat on the railway", ground.rails),
    ],
)  # fmt: skip
def test_who_needs_ground_gets_it(prompt: str, underfoot: object) -> None:
    assert underfoot in planned(prompt)[0]


@pytest.mark.parametrize(
    "prompt", ["ship at sea", "a calm lake", "car in the desert", "bear on a bicycle in the forest"]
)
def test_nobody_gets_ground_that_is_not_needed(prompt: str) -> None:
    assert not {land.beach, ground.bank, ground.road, ground.rails} & set(planned(prompt)[0])


@pytest.mark.parametrize(
    "prompt", ["cat in a field", "cat in the city", "cat by the sea", "cat in the forest", "cat in a desert"]
)
def test_feet_are_below_the_horizon(prompt: str) -> None:
    far, near = planned(prompt)[1]
    assert HORIZON < far < near < 1


def test_hulls_are_in_the_water_and_feet_are_not() -> None:
    _, floor, water = planned("ship and cat by the sea")
    assert water is not None
    assert HORIZON < water[0] < water[1] < floor[0]


def test_a_village_by_the_water_stands_on_the_shore() -> None:
    stages = planned("village by the sea")[0]
    assert landmarks.shore_village in stages
    assert not {sights.boat, forest.frame} & set(stages)
