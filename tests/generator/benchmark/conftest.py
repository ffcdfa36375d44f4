"""A machine, a few rows, and a tiny checkpoint to measure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from streamer.generator.benchmark.results import Case, Floor, Machine, Results, Row, Skipped

FOLDER = Path(__file__).parent
PUBLISHED = Floor(98.0, "peak published for this card", measured=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let diffusers and torch use what their own dependencies deprecate."""
    for item in items:
        if item.path.is_relative_to(FOLDER):
            for category in ("DeprecationWarning", "FutureWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{category}"))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny Klein."""
    pytest.importorskip("torch")
    pytest.importorskip("diffusers")
    from streamer.generator.klein.testing import make_checkpoint

    return make_checkpoint(tmp_path_factory.mktemp("benchmark") / "tiny-klein")


@pytest.fixture
def machine() -> Machine:
    """Describe a machine with a large card."""
    versions = {"streamer": "0.1.0", "torch": "2.11.0+cu130", "diffusers": "0.42.1"}
    return Machine("NVIDIA H200", 150.7, "580.82.07", "XEON", "Linux x86_64", versions)


@pytest.fixture
def row() -> Callable[..., Row]:
    """Return a function that makes a row of a median in milliseconds."""

    def make(
        ms: float = 172.0, *, model: str = "klein-4b", stock: bool = False, random: bool = True,
        floor: Floor | None = PUBLISHED, size: tuple[int, int] = (1024, 1024),
    ) -> Row:  # fmt: skip
        case = Case(model, "klein", *size, random=random, stock=stock)
        times, precision = [ms - 1, ms, ms + 6], "bfloat16" if stock else "fp8"
        return Row(case, "NVIDIA H200", precision, 4, times, 20.0, 12.2, floor=None if stock else floor)

    return make


@pytest.fixture
def results(machine: Machine, row: Callable[..., Row]) -> Results:
    """Return the stock pipeline's row, the program's own, and a case that did not fit."""
    found = Results(machine).with_outcome(row(509.0, stock=True)).with_outcome(row())
    return found.with_outcome(Skipped(Case("flux2-dev-turbo", "diffusers", 1024, 1024), "needs 117 GB"))
