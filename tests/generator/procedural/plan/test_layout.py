"""Places: everybody inside the picture, by kind, the same for the same seed and others for another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.generator.procedural.plan.cast import Figure
from streamer.generator.procedural.plan.groups import Measures, group_of
from streamer.generator.procedural.plan.idea import read
from streamer.generator.procedural.plan.layout import Medium, Placement, Setting, arrange
from tests.support.drawings import KNOWN, drawings

SHAPES = Measures(
    aspect=lambda key: 2.0 if "transport" in KNOWN[key].subgroup else 0.9, head_of=lambda key: (0.5, 0.8, 0.0, 0.3)
)
LAND = Setting((0.7, 0.95), (0.08, 0.45))
SEA = Setting((0.87, 0.96), (0.08, 0.45), water=(0.6, 0.84))
TABLE = Setting((0.86, 0.88), shelf=0.85, behind_shelf=True)
SETTINGS = [LAND, SEA, TABLE, Setting(floats=True), Setting(portrait=0.62), Setting(portrait=0.84), Setting(shelf=0.7)]
WORDS = {drawing.name.split()[-1]: key for key, drawing in KNOWN.items()}


def cast(prompt: str) -> tuple[Figure, ...]:
    with drawings(**WORDS):
        return read(prompt).cast


def placed(
    prompt: str, setting: Setting = LAND, seed: int = 1, width: int = 1280, height: int = 720
) -> list[Placement]:
    return arrange(cast(prompt), setting, width, height, SHAPES, np.random.default_rng(seed))


def box(placement: Placement) -> tuple[float, float, float, float]:
    half = placement.height * SHAPES.aspect(placement.key) / 2
    return placement.x - half, placement.foot - placement.height, placement.x + half, placement.foot


@settings(max_examples=150, deadline=None)
@given(
    names=st.lists(st.sampled_from(sorted(WORDS)), min_size=1, max_size=6),
    number=st.sampled_from(["", "three ", "nine "]),
    seed=st.integers(0, 99), setting=st.sampled_from(SETTINGS),
    size=st.sampled_from([(1280, 720), (1024, 1024), (512, 512), (720, 1280)]),
)  # fmt: skip
def test_nobody_is_cut_off(names: list[str], number: str, seed: int, setting: Setting, size: tuple[int, int]) -> None:
    for placement in placed(" with ".join([number + names[0], *names[1:]]), setting, seed, *size):
        left, top, right, low = box(placement)
        assert left > -0.02 * size[0]
        assert right < 1.02 * size[0]
        assert top > -0.02 * size[1]
        assert low < 1.02 * size[1] + placement.sunk * placement.height
        # A hat is as small as the head that wears it.
        assert placement.height > 0.02 * min(size) or KNOWN[placement.key].subgroup == "clothing"


def test_the_same_seed_gives_the_same_places_and_another_seed_others() -> None:
    assert placed("three owls", seed=4) == placed("three owls", seed=4)
    assert placed("three owls", seed=4) != placed("three owls", seed=5)


def test_three_owls_are_three_of_different_size_side_by_side() -> None:
    owls = placed("three owls")
    assert len(owls) == 3
    assert len({round(owl.height) for owl in owls}) > 1
    lefts = sorted(box(owl) for owl in owls)
    assert all(left[2] <= right[0] + 1 for left, right in pairwise(lefts))


@pytest.mark.parametrize("seed", range(8))
def test_what_walks_stands_on_the_floor_and_what_flies_is_in_the_sky(seed: int) -> None:
    rows = {placement.key: placement for placement in placed("cat with airplane", seed=seed)}
    assert 0.7 * 720 <= rows[WORDS["cat"]].foot <= 0.95 * 720
    assert rows[WORDS["cat"]].medium is Medium.GROUND
    assert rows[WORDS["airplane"]].foot <= 0.5 * 720
    assert rows[WORDS["airplane"]].medium is Medium.AIR


@pytest.mark.parametrize("seed", range(8))
def test_a_ship_floats_and_a_whale_is_partly_under_water(seed: int) -> None:
    rows = {placement.key: placement for placement in placed("ship with whale with cat", SEA, seed)}
    ship, whale = rows[WORDS["ship"]], rows[WORDS["whale"]]
    assert ship.medium is whale.medium is Medium.WATER
    assert whale.sunk > ship.sunk
    assert 0.6 * 720 <= ship.foot - ship.sunk * ship.height <= 0.84 * 720
    assert rows[WORDS["cat"]].medium is Medium.GROUND


def test_things_lie_on_the_table_before_those_who_sit_behind_it() -> None:
    bear, pizza = sorted(placed("bear with pizza", TABLE), key=lambda placement: placement.key)
    pizza, bear = (pizza, bear) if pizza.key == WORDS["pizza"] else (bear, pizza)
    assert pizza.order > bear.order
    assert pizza.foot >= 0.85 * 720


def test_a_rider_is_on_top_of_what_it_rides() -> None:
    rows = {placement.key: placement for placement in placed("bear on a bicycle")}
    bear, bicycle = rows[WORDS["bear"]], rows[WORDS["bicycle"]]
    assert bicycle.foot - bicycle.height < bear.foot < bicycle.foot
    assert abs(bear.x - bicycle.x) < bicycle.height


def test_who_rides_a_broom_is_in_the_air_and_the_broom_lies_level() -> None:
    rows = {placement.key: placement for placement in placed("bear on a broom")}
    bear, broom = rows[WORDS["bear"]], rows[WORDS["broom"]]
    assert max(bear.foot, broom.foot) < 0.5 * 720
    assert abs(broom.degrees) == 45
    assert broom.order > bear.order, "the broom is before the rider's legs"
    assert placed("broom")[0].foot > 0.5 * 720, "alone it stands"


def test_who_is_on_a_couch_sits_on_its_seat_and_not_on_its_back() -> None:
    rows = {placement.key: placement for placement in placed("cat on a couch")}
    couch = rows[WORDS["couch"]]
    assert couch.foot - 0.5 * couch.height < rows[WORDS["cat"]].foot < couch.foot


def test_who_is_in_a_house_stands_at_its_door_where_one_sees_it() -> None:
    rows = {placement.key: placement for placement in placed("bear in a house")}
    bear, house = rows[WORDS["bear"]], rows[WORDS["house"]]
    assert bear.order > house.order
    assert bear.foot == house.foot


def test_what_is_in_a_box_is_partly_behind_it() -> None:
    rows = {placement.key: placement for placement in placed("cat in a package")}
    cat_, box_ = rows[WORDS["cat"]], rows[WORDS["package"]]
    assert cat_.order < box_.order
    assert box_.foot - box_.height < cat_.foot < box_.foot
    assert cat_.foot - cat_.height < box_.foot - box_.height


def test_a_hat_sits_on_the_head_and_glasses_before_the_eyes() -> None:
    rows = {placement.key: placement for placement in placed("boy with crown with sunglasses")}
    boy = rows[WORDS["boy"]]
    assert rows[WORDS["crown"]].foot < boy.foot - 0.6 * boy.height
    eyes = boy.foot - 0.7 * boy.height
    glasses = rows[WORDS["sunglasses"]]
    assert glasses.foot - glasses.height < eyes < glasses.foot


def test_an_engine_pulls_carriages() -> None:
    assert [part.key for part in group_of(0, cast("train"), SHAPES).parts].count("1f683") == 2


def heights(placements: Sequence[Placement]) -> dict[str, float]:
    return {placement.key: placement.height for placement in placements}


@pytest.mark.parametrize("seed", range(4))
def test_a_castle_is_taller_than_the_cat_before_it(seed: int) -> None:
    tall = heights(placed("cat before a castle", seed=seed))
    assert tall[WORDS["castle"]] > 1.3 * tall[WORDS["cat"]]
