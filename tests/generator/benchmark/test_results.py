"""What is computed from measured times, and how rows travel from a child to its parent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.generator.benchmark.results import ROW, Case, Machine, Results, Row


def test_a_row_tells_median_slow_pictures_rate_and_its_distance_to_the_floor(row: Callable[..., Row]) -> None:
    made = row(172.0)
    assert (made.p50_ms, made.p95_ms) == (172.0, 178.0)
    assert made.per_second == pytest.approx(3000 / (171 + 172 + 178))
    assert made.share_of_floor == pytest.approx(98 / 172)
    assert made.times_as_fast is None


def test_the_stock_time_belongs_to_the_rows_of_its_model_and_size(results: Results, row: Callable[..., Row]) -> None:
    other = results.with_outcome(row(40.0, size=(512, 512)))
    stock, ours, smaller = other.rows
    assert stock.stock_ms is None
    assert ours.times_as_fast == pytest.approx(509 / 172)
    assert smaller.times_as_fast is None


def test_a_stock_row_that_comes_later_counts_as_well(results: Results, row: Callable[..., Row]) -> None:
    found = Results(results.machine).with_outcome(row()).with_outcome(row(509.0, stock=True))
    assert found.rows[0].stock_ms == 509.0


def test_a_card_that_only_pytorch_knows_is_named_once_it_has_drawn(machine: Machine, row: Callable[..., Row]) -> None:
    unseen = Results(replace(machine, card="no NVIDIA GPU", memory_gb=None))
    found = unseen.with_outcome(replace(row(), device="AMD Radeon RX 7900 XTX"))
    assert found.machine.card == "AMD Radeon RX 7900 XTX"
    painted = unseen.with_outcome(replace(row(), device=machine.processor))
    assert painted.machine.card == "no NVIDIA GPU"
    assert Results(machine).with_outcome(row()).machine == machine


def test_a_row_survives_its_way_through_json(row: Callable[..., Row]) -> None:
    assert ROW.validate_json(ROW.dump_json(row())) == row()


def test_a_folder_is_shown_by_its_last_part_alone() -> None:
    folder = str(Path("/home/somebody/models/mine").absolute())
    assert str(Case(folder, "klein", 64, 32, "int8")) == "mine 64x32 int8"
    assert Case("owner/name", "diffusers", 64, 32).label == "owner/name"
