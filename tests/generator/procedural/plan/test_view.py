"""The view: places that the prompt names win; otherwise a figure brings its home along."""

from __future__ import annotations

import pytest

from streamer.generator.procedural.plan.idea import read
from streamer.generator.procedural.plan.view import View, choose
from tests.support.drawings import drawings

WORDS = {
    "cat": "1f408", "bear": "1f43b", "whale": "1f40b", "pizza": "1f355", "coffee": "2615", "car": "1f697",
    "ship": "1f6a2", "rocket": "1f680", "plane": "2708", "castle": "1f3f0", "orb": "1f315",
}  # fmt: skip


def view(prompt: str, kind: str = "background") -> tuple[View, tuple[str, ...]]:
    with drawings(**WORDS):
        chosen, idea = choose(read(prompt), kind)
    return chosen, idea.places


@pytest.mark.parametrize(
    ("prompt", "chosen", "place"),
    [
        ("bear", View.LAND, "forest"), ("whale", View.UNDERWATER, "underwater"), ("pizza", View.TABLE, "table"),
        ("ship", View.LAND, "sea"), ("plane", View.HEIGHTS, "heights"), ("rocket", View.SPACE, "space"),
        ("car", View.LAND, "field"), ("cat", View.ROOM, "room"),
    ],
)  # fmt: skip
def test_a_prompt_without_a_place_is_set_where_its_figure_is_at_home(prompt: str, chosen: View, place: str) -> None:
    found, places = view(prompt)
    assert found is chosen
    assert place in places


@pytest.mark.parametrize(
    ("prompt", "chosen"),
    [
        ("cat on the moon", View.MOON), ("cat on a windowsill", View.SILL),
        ("cat at a table", View.TABLE), ("cat in the forest", View.LAND), ("bear in space", View.SPACE),
        ("cat above the clouds", View.HEIGHTS), ("cat on a branch", View.BRANCH), ("cat on an iceberg", View.ICE),
        ("a picnic table in the forest", View.LAND), ("castle in a room", View.LAND), ("zxqv", View.PATTERN),
    ],
)  # fmt: skip
def test_a_place_that_is_named_wins(prompt: str, chosen: View) -> None:
    assert view(prompt)[0] is chosen


@pytest.mark.parametrize(
    ("prompt", "water"),
    [("ship in the mountains", "lake"), ("whale under the stars", "sea"), ("whale in the city", "sea")],
)
def test_what_swims_gets_water(prompt: str, water: str) -> None:
    assert water in view(prompt)[1]


def test_fish_in_the_sea_are_shown_in_the_deep_and_whales_at_its_surface() -> None:
    with drawings(fish="1f41f", whale="1f40b"):
        assert choose(read("two fish in the sea"), "background")[0] is View.UNDERWATER
        assert choose(read("fish in the sea at night"), "background")[0] is View.LAND
        assert choose(read("whale in the sea"), "background")[0] is View.LAND


def test_a_meme_without_a_place_shows_its_figures_on_a_poster() -> None:
    assert view("cat with pizza", "meme")[0] is View.POSTER
    assert view("cat in the forest", "meme")[0] is View.LAND


def test_a_meme_about_the_moon_alone_shows_the_moon() -> None:
    with drawings(**WORDS):
        chosen, idea = choose(read("sad orb"), "meme")
    assert chosen is View.POSTER
    assert [figure.key for figure in idea.cast] == ["1f315"]
