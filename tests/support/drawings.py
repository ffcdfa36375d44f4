"""Drawings without the emoji set: which words of a prompt name which, said by the test itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import numpy as np

from streamer.generator.procedural.engine import cutout
from streamer.generator.procedural.plan import cast, idea
from streamer.generator.procedural.subjects.library import Drawing
from streamer.generator.procedural.subjects.sprite import Sprite
from streamer.generator.procedural.subjects.words import Mention

KNOWN = {
    "1f408": Drawing("1f408", "cat", "animals-nature", "animal-mammal"),
    "1f415": Drawing("1f415", "dog", "animals-nature", "animal-mammal"),
    "1f436": Drawing("1f436", "dog face", "animals-nature", "animal-mammal"),
    "1f43b": Drawing("1f43b", "bear", "animals-nature", "animal-mammal"),
    "1f409": Drawing("1f409", "dragon", "animals-nature", "animal-reptile"),
    "1f989": Drawing("1f989", "owl", "animals-nature", "animal-bird"),
    "1f40b": Drawing("1f40b", "whale", "animals-nature", "animal-marine"),
    "1f41f": Drawing("1f41f", "fish", "animals-nature", "animal-marine"),
    "1f3f0": Drawing("1f3f0", "castle", "travel-places", "place-building"),
    "1f33b": Drawing("1f33b", "sunflower", "animals-nature", "plant-flower"),
    "1f697": Drawing("1f697", "automobile", "travel-places", "transport-ground"),
    "1f686": Drawing("1f686", "train", "travel-places", "transport-ground"),
    "1f682": Drawing("1f682", "locomotive", "travel-places", "transport-ground"),
    "1f683": Drawing("1f683", "railway car", "travel-places", "transport-ground"),
    "1f6b2": Drawing("1f6b2", "bicycle", "travel-places", "transport-ground"),
    "26f5": Drawing("26f5", "sailboat", "travel-places", "transport-water"),
    "1f6a2": Drawing("1f6a2", "ship", "travel-places", "transport-water"),
    "2708": Drawing("2708", "airplane", "travel-places", "transport-air"),
    "1f680": Drawing("1f680", "rocket", "travel-places", "transport-air"),
    "1f315": Drawing("1f315", "full moon", "travel-places", "sky-weather"),
    "2615": Drawing("2615", "hot beverage", "food-drink", "drink"),
    "1f355": Drawing("1f355", "pizza", "food-drink", "food-prepared"),
    "1f451": Drawing("1f451", "crown", "objects", "clothing"),
    "1f576": Drawing("1f576", "sunglasses", "objects", "clothing"),
    "1f4e6": Drawing("1f4e6", "package", "objects", "mail"),
    "1f9d1-200d-1f680": Drawing("1f9d1-200d-1f680", "astronaut", "people-body", "person-role"),
    "1f9f9": Drawing("1f9f9", "broom", "objects", "household"),
    "1f6cb": Drawing("1f6cb", "couch", "objects", "household"),
    "1f3e0": Drawing("1f3e0", "house", "travel-places", "place-building"),
    "1f466": Drawing("1f466", "boy", "people-body", "person"),
}
NUMBERS = {"two": 2, "three": 3, "nine": 9}


def found(prompt: str, words: dict[str, str]) -> list[Mention]:
    """Find the words of a test in a prompt, with an English number before them."""
    matches = [(match, key) for word, key in words.items() for match in re.finditer(rf"\b{word}s?\b", prompt)]
    return [
        Mention(KNOWN[key], match.group(), match.start(), match.end(), _count(prompt[: match.start()]))
        for match, key in sorted(matches, key=lambda pair: pair[0].start())
    ]


def _count(before: str) -> int:
    return next((NUMBERS[word] for word in before.split()[-2:] if word in NUMBERS), 1)


def plain_sprite(key: str, height: int) -> Sprite:
    """Draw any key as an orange ellipse, twice as wide as high where it is a vehicle."""
    width = height * 2 if "transport" in KNOWN[key].subgroup else height
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    sprite = np.zeros((height, width, 4), np.uint8)
    sprite[..., :3] = (240, 140, 40)
    sprite[..., 3] = np.where(x * x + y * y <= 1, 255, 0)
    return sprite


@contextmanager
def drawings(**words: str) -> Iterator[None]:
    """Let these words name these drawings, and nothing else any."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(idea, "mentions", lambda prompt: found(prompt, words)))
        stack.enter_context(patch.object(cast, "drawing", KNOWN.get))
        stack.enter_context(patch.object(cutout, "drawing", KNOWN.get))
        stack.enter_context(patch.object(cutout, "sprite", plain_sprite))
        for cached in (cutout.aspect, cutout.head_of):
            cached.cache_clear()
            stack.callback(cached.cache_clear)
        yield
