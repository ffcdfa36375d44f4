"""The results for people and programs: a table for the terminal, Markdown to paste into an issue, and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from streamer.generator.benchmark.results import Case, Machine, Results, Row

HEAD = ("model", "size", "drawn by", "steps", "p50 ms", "p95 ms", "pictures/s", "GB", "floor ms", "of peak",
        "times stock")  # fmt: skip
NOTHING = "-"


def table(results: Results) -> str:
    """Return the results as a table of plain text."""
    rows = _filled([HEAD, *(_cells(row) for row in results.rows)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip() for cells in rows]
    skipped = [f"skipped: {skip.case}: {skip.reason}" for skip in results.skipped]
    return "\n".join(
        [*_about(results), "", *(lines if results.rows else []), *choices(results), *elsewhere(results), *skipped]
    )


def markdown(results: Results) -> str:
    """Return the results as Markdown."""
    lines = [f"{'' if number else '**'}{line}{'' if number else '**'}  " for number, line in enumerate(_about(results))]
    head, *rows = _filled([HEAD, *(_cells(row) for row in results.rows)])
    lines += ["", *(_markdown_line(cells) for cells in (head, ("---",) * len(head), *rows) if results.rows)]
    lines += [line for note in (*choices(results), *elsewhere(results)) for line in ("", note)]
    if results.skipped:
        lines += ["", "Skipped:", "", *(f"- {skip.case}: {skip.reason}" for skip in results.skipped)]
    return "\n".join(lines) + "\n"


def as_json(results: Results) -> str:
    """Return the results as one JSON object; sizes of memory are 10^9 bytes."""
    machine = results.machine
    content = {
        "machine": {
            "card": machine.card, "memory_gb": machine.memory_gb, "driver": machine.driver,
            "processor": machine.processor, "system": machine.system, "versions": dict(machine.versions),
        },
        "random_weights": results.random,
        "rows": [_row_as_json(row) for row in results.rows],
        "skipped": [{**_case_as_json(skip.case), "reason": skip.reason} for skip in results.skipped],
    }  # fmt: skip
    return json.dumps(content, indent=1)


def machine_line(machine: Machine) -> str:
    """Describe the machine and what drew in one line."""
    card = machine.card if machine.memory_gb is None else f"{machine.card}, {machine.memory_gb:.0f} GB"
    driver = f"driver {machine.driver}" if machine.driver else ""
    versions = (f"{package} {version}" for package, version in machine.versions.items())
    return ", ".join(filter(None, (card, driver, machine.processor, machine.system, *versions)))


def weights_line(results: Results) -> str:
    """Say what the numbers mean, and whether the weights were random."""
    means = "From the prompt to the JPEG, warm, one picture after the other."
    random = " Random weights: the times are those of the real ones, the pictures show nothing."
    return means + (random if results.random else "")


def drawn_by(row: Row) -> str:
    """Return the precision, and whether the stock pipeline drew."""
    asked = row.case.precision
    if row.case.stock:
        return f"stock, {row.precision}"
    return f"{row.precision} (auto)" if asked == "auto" and row.floor is not None else row.precision


def choices(results: Results) -> list[str]:
    """Say of each model what was measured before its precision was chosen, once for the same figures."""
    chosen = {(row.case.label, measured): None for row in results.rows if (measured := row.active.get("measured"))}
    return [f"Chosen for {label} by one step at 1024x1024 on this card: {measured}." for label, measured in chosen]


def elsewhere(results: Results) -> list[str]:
    """Tell the floor of each row on the other cards that were named."""
    return [
        f"Floor on {card} ({floor.source}): {row.case.label} {row.case.size} {row.precision}, {row.steps} steps: "
        f"{ms(floor.ms)} ms."
        for row in results.rows
        for card, floor in row.elsewhere.items()
    ]


def _about(results: Results) -> list[str]:
    sources = sorted({row.floor.source for row in results.rows if row.floor is not None})
    floors = [f"Floor: the arithmetic of a picture at the {source}." for source in sources]
    return [machine_line(results.machine), weights_line(results), *floors]


def _filled(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Leave out the columns in which no row has anything, such as the floor of a painter; the first row is the head."""
    columns = [column for column in zip(*rows, strict=True) if {*column[1:]} != {NOTHING}]
    return list(zip(*columns, strict=True))


def _cells(row: Row) -> tuple[str, ...]:
    share, factor = row.share_of_floor, row.times_as_fast
    return (
        row.case.label,
        row.case.size,
        drawn_by(row),
        str(row.steps),
        ms(row.p50_ms),
        ms(row.p95_ms),
        f"{row.per_second:.3g}",
        NOTHING if row.peak_gb is None else f"{row.peak_gb:.1f}",
        NOTHING if row.floor is None else ms(row.floor.ms),
        NOTHING if share is None else f"{share:.0%}",
        NOTHING if factor is None else f"{factor:.2f}",
    )


def ms(value: float) -> str:
    """Write milliseconds with as many digits as they are worth."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def _markdown_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _case_as_json(case: Case) -> dict[str, Any]:
    return {
        "model": case.label, "backend": case.backend, "width": case.width, "height": case.height,
        "asked_precision": case.precision, "random_weights": case.random, "stock": case.stock,
    }  # fmt: skip


def _row_as_json(row: Row) -> dict[str, Any]:
    floor = row.floor
    return {
        **_case_as_json(row.case), "device": row.device, "precision": row.precision, "steps": row.steps,
        "p50_ms": round(row.p50_ms, 3), "p95_ms": round(row.p95_ms, 3), "pictures_per_s": round(row.per_second, 3),
        "times_ms": [round(time, 3) for time in row.times_ms], "ready_s": round(row.ready_s, 2),
        "peak_gb": row.peak_gb, "tflop": dict(row.tflop), "floor_ms": None if floor is None else round(floor.ms, 3),
        "floor_source": None if floor is None else floor.source, "share_of_floor": row.share_of_floor,
        "stock_p50_ms": row.stock_ms, "times_as_fast_as_stock": row.times_as_fast,
        "floor_ms_elsewhere": {card: round(other.ms, 3) for card, other in row.elsewhere.items()},
        "active": dict(row.active),
    }  # fmt: skip
