"""The scenery looks as it did: small golden pictures, compared cell by cell, enter every function that paints one."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType, FunctionType, ModuleType

import numpy as np
import numpy.typing as npt
import pytest

from streamer.generator.procedural.engine import finish
from streamer.generator.procedural.plan import compose, open_air
from streamer.generator.procedural.scenery import (
    city,
    flow,
    forest,
    furniture,
    ground,
    land,
    landmarks,
    perches,
    popart,
    room,
    sights,
    sky,
    space,
    water,
    weather,
)
from tests.support.golden_pictures import PROMPTS, golden, paint, stages_of

MODULES = (
    city, flow, forest, furniture, ground, land, landmarks, perches, popart, room, sights, sky, space, water, weather,
    finish, compose, open_air,
)  # fmt: skip
TOLERANCE = 0.75
"""Mean difference, of 255, allowed in the worst cell.

Noise of 0.1 % on the light after every stage, which is far more than another CPU or numpy rounds differently, changes
the worst cell of any golden picture by 0.4 at most. Leaving out a stage that paints something changes one cell by 0.9
at least, mostly by more than 10. A cell and not the whole picture: a lighthouse fills a hundredth of it.
"""
CELL_WIDTH, CELL_HEIGHT = 4, 4


def worst_cell(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> float:
    """Return the mean difference of the cell in which two pictures differ most."""
    apart = np.abs(one.astype(float) - other).mean(2)
    rows, columns = apart.shape[0] // CELL_HEIGHT, apart.shape[1] // CELL_WIDTH
    cells = apart[: rows * CELL_HEIGHT, : columns * CELL_WIDTH].reshape(rows, CELL_HEIGHT, columns, CELL_WIDTH)
    return float(cells.mean((1, 3)).max())


@pytest.mark.parametrize("name", PROMPTS)
def test_a_picture_looks_as_it_did(name: str) -> None:
    assert worst_cell(paint(name), golden(name)) <= TOLERANCE


@pytest.mark.parametrize("missing", range(len(stages_of("harbour")[1])))
def test_a_stage_that_is_missing_is_noticed(missing: int) -> None:
    assert worst_cell(paint("harbour", without=missing), golden("harbour")) > TOLERANCE


@contextmanager
def calls_noted() -> Iterator[set[CodeType]]:
    """Note the code of every function that is entered."""
    entered: set[CodeType] = set()

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            entered.add(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield entered
    finally:
        sys.setprofile(before)


def functions_of(module: ModuleType) -> Iterator[FunctionType]:
    """Yield the functions and methods that a module defines itself."""
    classes = [
        member for _, member in inspect.getmembers(module, inspect.isclass) if member.__module__ == module.__name__
    ]
    for owner in (module, *classes):
        for _, function in inspect.getmembers(owner, inspect.isfunction):
            if function.__code__.co_filename == module.__file__:
                yield function


def test_the_golden_pictures_enter_every_function() -> None:
    with calls_noted() as entered:
        for name in PROMPTS:
            paint(name)
    functions = [function for module in MODULES for function in functions_of(module)]
    unseen = [function.__qualname__ for function in functions if function.__code__ not in entered]
    assert unseen == []
