"""How every bench reports: one JSON object, printed last, with its metrics and whether the goals are met."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
"""The repository, from which benches read the shipped config, their sets of texts and the web pages."""


def machine() -> str:
    """Name the machine in a few words."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), model)
    except OSError:
        pass
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return p50, p95 and p99."""
    return {
        "p50": round(statistics.median(values), 2),
        "p95": round(percentile(values, 0.95), 2),
        "p99": round(percentile(values, 0.99), 2),
    }


def at_most(metric: str, value: float, goal: float) -> dict[str, object]:
    """Judge a metric that should be small."""
    return {"metric": metric, "value": round(value, 3), "goal": goal, "met": value <= goal}


def at_least(metric: str, value: float, goal: float) -> dict[str, object]:
    """Judge a metric that should be large."""
    return {"metric": metric, "value": round(value, 3), "goal": goal, "met": value >= goal}


def finish(
    bench: str,
    metrics: Mapping[str, Any],
    goals: Iterable[Mapping[str, object]],
    *,
    device: str = "",
    **subject: object,
) -> None:
    """Print the JSON line.

    ``device`` replaces the description of this computer where a GPU does the work; ``subject`` names what was
    measured, such as the model and the size.
    """
    print(json.dumps({"bench": bench, "machine": device or machine(), **subject, "metrics": metrics,
                      "goals": list(goals)}))  # fmt: skip
