"""NudeNet's weights come with the package, so it looks at real pictures here."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

from streamer import installation
from streamer.errors import BackendUnavailable
from streamer.generator.backend import HostPicture
from streamer.generator.backends import procedural
from streamer.generator.judges.nudenet import NudeNet, Options, create
from streamer.moderation.thresholds import classify
from streamer.types import Actor, ImageRequest, Lane, Outcome, RequestKind, Role, SamplingParams


@pytest.fixture(scope="module")
def judge() -> NudeNet:
    judge = create(Options())
    judge.load()
    return judge


@pytest.mark.parametrize("text", ["a stormy harbour at night", "a portrait of a woman", "a cat"])
def test_pictures_of_harmless_things_pass(judge: NudeNet, text: str) -> None:
    backend = procedural.create(procedural.Options())
    backend.load(lambda doing, share: None)
    params, actor = SamplingParams(1280, 720, 4, 1.0, 7), Actor("1", "ann", Role.VIEWER)
    drawn = list(
        backend.draw(
            ImageRequest("r", "bg", RequestKind.BACKGROUND, "bg", text, text, params, actor, Lane.CHAT, 0.0, 30.0)
        )
    )[-1]
    assert isinstance(drawn, HostPicture)
    scores = judge.look(drawn.pixels()[..., :3])
    assert all(0 <= score <= 1 for score in scores.values())
    assert classify(scores, Options())[0] is Outcome.ALLOW


def test_it_looks_at_any_size_and_leaves_the_picture_alone(judge: NudeNet) -> None:
    for size in ((64, 64), (70, 1000), (1000, 70)):
        pixels = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
        before = pixels.copy()
        assert all(0 <= score <= 1 for score in judge.look(pixels).values())
        assert np.array_equal(pixels, before)
    assert judge.version[0].isdigit()


def test_every_threshold_names_a_class_that_the_weights_know() -> None:
    import nudenet.nudenet as package

    known = set(vars(package)["__labels"])
    assert set(Options().hold) | set(Options().block) <= known


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nudenet", None)
    with pytest.raises(BackendUnavailable, match=re.escape(installation.add_extra("nudenet"))):
        create(Options()).load()
