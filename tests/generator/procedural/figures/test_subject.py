"""Characters: every one named in the lexicon can be drawn, in every mood, and fills its square."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.generator.procedural.engine.colour import lch
from streamer.generator.procedural.figures import animals, face
from streamer.generator.procedural.figures.pen import Pen
from streamer.generator.procedural.figures.subject import BEINGS, THINGS, chosen
from streamer.generator.procedural.plan import lexicon
from streamer.generator.procedural.plan.idea import read

LOOKS = (*face.LOOKS, "sad", "angry")


def test_every_subject_of_the_lexicon_has_a_figure() -> None:
    assert set(lexicon.shipped().subjects.meanings) == set(animals.COATS) | set(BEINGS) | set(THINGS)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", [*BEINGS, *THINGS])
def test_a_figure_fills_its_square_without_leaving_it(name: str, look: str) -> None:
    pen = Pen(96)
    (BEINGS.get(name) or THINGS[name])(pen, lch(0.62, 0.17, 250), look)
    planes, mask = pen.layers()
    assert planes.shape == (3, 96, 96)
    assert 0.12 < mask.mean() < 0.8
    assert max(np.flatnonzero(mask.max(axis)).size for axis in (0, 1)) > 60


@pytest.mark.parametrize("hat", ["", "santa", "wizard", "crown", "headphones"])
@pytest.mark.parametrize("name", animals.COATS)
def test_an_animal_can_wear_anything(name: str, hat: str) -> None:
    for variant, look in enumerate(LOOKS):
        pen = Pen(64)
        animals.draw(pen, name, variant, look, hat)
        assert 0.2 < pen.layers()[1].mean() < 0.8


def test_the_living_go_before_the_props() -> None:
    assert chosen(read("coffee for the cat"), "meme") == "cat"
    assert chosen(read("coffee"), "meme") == "coffee"
    assert chosen(read("coffee"), "background") is None
