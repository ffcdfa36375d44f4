"""What a benchmark measures and finds: one case, the row that came of it or why there is none, and the machine."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class Case:
    """One row to measure; ``stock`` draws with the unmodified diffusers pipeline instead of the program's backend."""

    model: str
    backend: str
    width: int
    height: int
    precision: str = "auto"
    random: bool = False
    stock: bool = False
    runs: int = 20
    cards: tuple[str, ...] = ()
    """Other cards, whose floor is to be told."""

    @property
    def size(self) -> str:
        """Return the size as people write it."""
        return f"{self.width}x{self.height}"

    @property
    def label(self) -> str:
        """Return the model's name; of a folder its last part, since results are shown to others."""
        path = Path(self.model)
        return path.name if path.is_absolute() else self.model

    def __str__(self) -> str:
        wanted = "stock diffusers" if self.stock else "" if self.precision == "auto" else self.precision
        return " ".join(filter(None, (self.label, self.size, wanted)))


@dataclass(frozen=True, slots=True)
class Floor:
    """The time that a picture's arithmetic takes at the device's peak, and where that peak is from."""

    ms: float
    source: str
    measured: bool
    """Whether the peak was measured in this run, since the table does not know the device."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one case took; ``times_ms`` are from prompt to JPEG, back to back, after two that do not count."""

    case: Case
    device: str
    precision: str
    steps: int
    times_ms: Sequence[float]
    ready_s: float
    """From the start of loading until everything was warm."""
    peak_gb: float | None
    """The most memory that was reserved on the GPU, or used of main memory without one, in 10^9 bytes."""
    tflop: Mapping[str, float] = field(default_factory=dict)
    """The arithmetic of one picture by its kind, in 10^12 operations."""
    floor: Floor | None = None
    elsewhere: Mapping[str, Floor] = field(default_factory=dict)
    """The floor of the same arithmetic on other cards, by their names."""
    active: Mapping[str, str] = field(default_factory=dict)
    """What was really in use, as the backend says."""
    stock_ms: float | None = None
    """The median of the stock pipeline in the same benchmark."""

    @property
    def p50_ms(self) -> float:
        """Return the median."""
        return statistics.median(self.times_ms)

    @property
    def p95_ms(self) -> float:
        """Return the time that one picture in twenty exceeds."""
        ordered = sorted(self.times_ms)
        return ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]

    @property
    def per_second(self) -> float:
        """Return how many pictures a second were drawn, one after the other."""
        return 1000 * len(self.times_ms) / sum(self.times_ms)

    @property
    def share_of_floor(self) -> float | None:
        """Return which share of the median the floor is: 1 cannot be reached."""
        return None if self.floor is None else self.floor.ms / self.p50_ms

    @property
    def times_as_fast(self) -> float | None:
        """Return how many times as fast as stock diffusers."""
        return None if self.stock_ms is None else self.stock_ms / self.p50_ms


@dataclass(frozen=True, slots=True)
class Skipped:
    """A case that was not measured, and why."""

    case: Case
    reason: str


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it was measured and with what; the versions are by package."""

    card: str
    memory_gb: float | None
    driver: str
    processor: str
    system: str
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that one benchmark found so far."""

    machine: Machine
    rows: Sequence[Row] = ()
    skipped: Sequence[Skipped] = ()

    def with_outcome(self, outcome: Row | Skipped) -> Results:
        """Return the results with one more outcome; a stock row gives its time to the rows of its model and size."""
        if isinstance(outcome, Skipped):
            return replace(self, skipped=(*self.skipped, outcome))
        machine = self.machine
        if outcome.device not in (machine.card, machine.processor):
            # A part of a card, or one that the driver's tool of NVIDIA does not list.
            machine = replace(machine, card=outcome.device, memory_gb=None)
        return replace(self, machine=machine, rows=tuple(_with_stock((*self.rows, outcome))))

    @property
    def random(self) -> bool:
        """Whether any of the weights were random."""
        return any(row.case.random for row in self.rows)


ROW: TypeAdapter[Row] = TypeAdapter(Row)
CASE: TypeAdapter[Case] = TypeAdapter(Case)


def _with_stock(rows: Sequence[Row]) -> list[Row]:
    stock = {_drawn(row.case): row.p50_ms for row in rows if row.case.stock}
    return [row if row.case.stock else replace(row, stock_ms=stock.get(_drawn(row.case))) for row in rows]


def _drawn(case: Case) -> tuple[str, int, int]:
    return case.model, case.width, case.height
