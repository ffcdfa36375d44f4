"""Who is in a picture: how many of each, in which colour, and who is on, in or over what."""

from __future__ import annotations

import pytest

from streamer.generator.procedural.plan.cast import MOST_COPIES, MOST_FIGURES, MOST_IN_ALL, Figure, Relation
from streamer.generator.procedural.plan.idea import read
from tests.support.drawings import KNOWN, drawings


def cast(prompt: str, **words: str) -> tuple[Figure, ...]:
    with drawings(**words):
        return read(prompt).cast


def test_counts_are_kept_and_bounded() -> None:
    assert [figure.count for figure in cast("three owls and two cats", owl="1f989", cat="1f408")] == [3, 2]
    assert [figure.count for figure in cast("nine cats", cat="1f408")] == [MOST_COPIES]


def test_a_crowd_of_several_kinds_is_thinned_to_what_there_is_room_for() -> None:
    counts = [
        figure.count for figure in cast("nine owls and nine cats with a dog", owl="1f989", cat="1f408", dog="1f415")
    ]
    assert sum(counts) == MOST_IN_ALL
    assert min(counts) == 1


def test_a_drawing_named_twice_is_shown_once() -> None:
    assert len(cast("cat, cat and another cat", cat="1f408")) == 1


def test_no_more_than_a_handful_of_kinds_are_shown() -> None:
    words = {"abcdefghijklmnop"[index] * 4: key for index, key in enumerate(list(KNOWN)[:12])}
    assert len(cast(" ".join(words), **words)) <= MOST_FIGURES


@pytest.mark.parametrize(
    ("prompt", "relation"),
    [
        ("bear on a bicycle", Relation.ON), ("bear auf einem bicycle", Relation.ON),
        ("bear riding a bicycle", Relation.ON),
        ("медведь bear на bicycle", Relation.ON), ("bear sur un bicycle", Relation.ON), ("bear and a bicycle", None),
    ],
)  # fmt: skip
def test_a_word_between_two_things_ties_them(prompt: str, relation: Relation | None) -> None:
    bear, bicycle = cast(prompt, bear="1f43b", bicycle="1f6b2")
    assert bear.relation == relation
    assert bicycle.relation is None
    assert bear.tied_to == (1 if relation else None)


def test_a_language_that_names_the_base_first_is_understood() -> None:
    base, rider = cast("bicycle の上の bear", bear="1f43b", bicycle="1f6b2")
    assert (rider.relation, rider.tied_to) == (Relation.ON, 0)
    assert base.relation is None


def test_nobody_stands_on_a_pizza_slice_s_neighbour_or_on_one_of_three() -> None:
    assert cast("cat on three bicycles", cat="1f408", bicycle="1f6b2")[0].relation is None
    assert cast("bear on a sunflower", bear="1f43b", sunflower="1f33b")[0].relation is None


def test_what_is_over_something_is_in_the_sky() -> None:
    assert cast("dragon over the city", dragon="1f409")[0].relation is Relation.OVER


@pytest.mark.parametrize("prompt", ["a flying bear", "летающий bear", "bear volador"])
def test_what_flies_is_in_the_sky(prompt: str) -> None:
    assert cast(prompt, bear="1f43b")[0].relation is Relation.OVER


def test_who_lets_something_fly_stays_on_the_ground() -> None:
    assert cast("bear flying an airplane", bear="1f43b", airplane="2708")[0].relation is None


def test_a_baby_beside_a_creature_says_how_old_that_is() -> None:
    assert [figure.kind.name for figure in read("a baby dragon").cast] == ["dragon"]
    assert [figure.kind.name for figure in read("a baby and a dragon").cast] == ["baby", "dragon"]


def test_a_cat_in_a_box_is_in_it() -> None:
    assert cast("cat in a box", cat="1f408", box="1f4e6")[0].relation is Relation.IN


def test_a_hat_is_worn_by_the_first_living_figure_which_then_looks_at_us() -> None:
    dog, crown = cast("dog with a crown", dog="1f415", crown="1f451")
    assert dog.key == "1f436"
    assert (crown.relation, crown.tied_to) == (Relation.WORN, 0)


@pytest.mark.parametrize(
    ("prompt", "hue", "lightness"),
    [("red car", 25.0, None), ("car rojo", 25.0, None), ("black car", None, 0.0), ("white car", None, 1.0)],
)
def test_a_colour_word_next_to_a_thing_dyes_it(prompt: str, hue: float | None, lightness: float | None) -> None:
    (car,) = cast(prompt, car="1f697")
    assert car.dye is not None
    assert (car.dye.hue, car.dye.lightness) == (hue, lightness)


def test_in_a_script_without_blanks_a_colour_is_only_that_of_the_thing_right_behind_it() -> None:
    figures = {figure.kind.name: figure.dye for figure in read("雨のバス停で赤い傘をさしてる女の子").cast}
    assert figures["umbrella"] is not None
    assert figures["umbrella"].hue == 25.0
    assert figures["girl"] is None


def test_what_the_scene_itself_shows_is_no_figure() -> None:
    with drawings(orb="1f315", cat="1f408"):
        idea = read("cat under an orb")
    assert [figure.key for figure in idea.cast] == ["1f408"]
    assert [figure.key for figure in idea.scenic] == ["1f315"]
