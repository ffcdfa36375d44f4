"""Real children: each gives a row or a reason, and one that dies costs nobody else anything."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from streamer.generator.benchmark.results import Case, Row, Skipped
from streamer.generator.benchmark.runner import outcomes, run_child

SCRIPTED = "tests.support.benchmark_child"
posix = pytest.mark.skipif(sys.platform == "win32", reason="no signals there")


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("refuses", "does not fit"),
        ("fails", "its process failed: ValueError: these weights are no weights"),
        ("ends", "its process ended with 0"),
        pytest.param("is-killed", "its process was killed, as systems do when main memory runs out", marks=posix),
        pytest.param("crashes", "its process was ended by SIGSEGV", marks=posix),
    ],
)
def test_a_child_without_a_row_is_skipped_with_the_reason(model: str, reason: str, tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    case = Case(model, "klein", 64, 64)
    assert run_child(case, tmp_path, lambda *progress: told.append(progress), SCRIPTED) == Skipped(case, reason)
    assert told == [("working", 0.5)]


def test_cases_are_measured_in_order_and_those_skipped_before_cost_no_child(tmp_path: Path) -> None:
    begun: list[str] = []
    skipped = Skipped(Case("sdxl-turbo", "diffusers", 512, 512, "fp8"), "no such precision")
    painted = Case("procedural", "procedural", 96, 64, runs=2)

    def started(case: Case):  # type: ignore[no-untyped-def]
        begun.append(case.model)
        return lambda doing, share: None

    first, row = outcomes([skipped, painted], tmp_path, started)
    assert first is skipped
    assert begun == ["procedural"]
    assert isinstance(row, Row)
    assert (row.case, len(row.times_ms), row.floor, row.precision) == (painted, 2, None, "float32")
    assert min(row.times_ms) > 0
    assert row.peak_gb is None or 0.01 < row.peak_gb < 2, "the painter's process has not imported PyTorch"


@pytest.mark.torch
def test_a_model_in_a_folder_is_measured_on_the_cpu_with_its_floor(tiny: Path, tmp_path: Path) -> None:
    row = run_child(
        Case(str(tiny), "klein", 64, 64, "int8", runs=1, cards=("H200",)), tmp_path, lambda doing, share: None
    )
    assert isinstance(row, Row), row
    assert (row.precision, row.steps) == ("int8", 4)
    assert row.floor is not None
    assert row.floor.ms > row.elsewhere["H200"].ms > 0
    assert set(row.tflop) == {"linear", "attention", "convolution"}
    assert row.active["eight_bit_layers"] != "0"
