"""Noise tables: the same every time, tileable, in range."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.generator.procedural.engine.noise import Noise, line, step

NOISE = Noise()


@pytest.mark.parametrize("name", ["cloud", "smooth", "rough", "ridged"])
def test_tables_are_repeatable_and_between_zero_and_one(name: str) -> None:
    table = getattr(NOISE, name)
    assert np.array_equal(table, getattr(Noise(), name))
    assert table.min() >= 0
    assert table.max() <= 1
    assert table.std() > 0.05


@pytest.mark.parametrize("name", ["cloud", "smooth"])
def test_a_table_continues_over_its_edge(name: str) -> None:
    table = getattr(NOISE, name)
    assert np.abs(table[:, 0] - table[:, -1]).mean() < 3 * np.abs(np.diff(table, axis=1)).mean()


def test_a_line_stays_in_range_and_follows_its_generator() -> None:
    first, second = (line(np.random.default_rng(4), 500, 6) for _ in range(2))
    assert np.array_equal(first, second)
    assert np.abs(first).max() <= 1


def test_a_step_rises_from_zero_to_one() -> None:
    risen = step(0.2, 0.6, np.array([0.0, 0.2, 0.4, 0.6, 1.0], np.float32))
    assert risen == pytest.approx([0, 0, 0.5, 1, 1])


def test_film_is_kept_for_one_size_and_made_anew_for_another() -> None:
    assert NOISE.film(700, 900, 1.6) is NOISE.film(700, 900, 1.6)
    assert NOISE.film(40, 50, 1.6).shape == (40, 50)
