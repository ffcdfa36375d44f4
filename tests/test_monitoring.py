"""The dashboard, the alert rules and their page speak of what the running program exports, and of all of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.support.embedded import build, place
from tests.support.nvidia_smi import put_tool
from tests.support.real_program import Remote

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "monitoring"
PAGE = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
METRIC = re.compile(r"\b((?:streamer|process)_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(=~|=)\s*"([^"]*)"')
OF_PROMETHEUS = {"job", "instance"}


def rules() -> list[dict[str, object]]:
    """Return every alert rule."""
    groups = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, object]]:
    """Return the dashboard's panels that ask something."""
    found = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def expressions() -> Iterator[str]:
    """Yield every PromQL expression that we ship."""
    yield from (str(rule["expr"]) for rule in rules())
    for panel in panels():
        yield from (target["expr"] for target in panel["targets"])  # type: ignore[attr-defined]


def names_in(text: str) -> set[str]:
    """Return the names of all metrics of an exposition, those without a value yet included."""
    return set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))


@pytest.fixture
async def exported(program: Remote) -> str:
    """Return what the running program exports once a picture has been shown."""
    await program.shown("!bg harbour")
    return (await program.client.get("/metrics")).text


async def _with_gpu(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what a program exports on a machine with the NVIDIA driver."""
    put_tool(folder, 'echo "0, NVIDIA GeForce RTX 4090, 87, 11000, 24564, 61, 312.50"', monkeypatch)
    app = build(place(folder))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app.asgi), base_url="http://127.0.0.1:8710") as caller:
        return (await caller.get("/metrics")).text


async def test_every_metric_that_is_asked_for_is_exported_and_every_exported_one_is_asked_for(
    exported: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = names_in(exported) | names_in(await _with_gpu(tmp_path, monkeypatch))
    asked = {match[1].removesuffix("_bucket") for text in expressions() for match in METRIC.finditer(text)}
    of_the_process = {name for name in asked if name.startswith("process_")}
    ours = {name for name in known if name.startswith("streamer_")}
    assert asked - of_the_process == ours
    if Path("/proc/self/stat").exists():
        assert of_the_process <= known
    told = {line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `streamer_")}
    assert told == ours


async def test_every_label_that_is_asked_for_exists_with_that_value(exported: str) -> None:
    labels: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(exported):
        for sample in family.samples:
            labels.setdefault(sample.name, []).append(sample.labels)
    checked = 0
    for name, selector in (match.groups() for text in expressions() for match in METRIC.finditer(text)):
        for label, how, value in MATCHER.findall(selector or ""):
            if label in OF_PROMETHEUS:
                continue
            seen = {sample[label] for sample in labels[name]}
            assert set(value.split("|") if how == "=~" else [value]) <= seen, (name, label, value)
            checked += 1
    assert checked > 5


def test_every_alert_says_what_to_do_as_the_page_does() -> None:
    told = dict(re.findall(r"^\| `(Streamer\w+)` \| (.+) \|$", PAGE, re.MULTILINE))
    written = {rule["alert"]: rule["annotations"]["runbook"] for rule in rules()}  # type: ignore[index]
    assert told == written
    assert all(rule["labels"]["severity"] in ("warning", "critical") for rule in rules())  # type: ignore[index]


def test_no_panel_lies_on_another_and_each_has_a_name_of_its_own() -> None:
    places = [panel["gridPos"] for panel in panels()]
    cells = [
        (column, line)
        for at in places
        for column in range(at["x"], at["x"] + at["w"])  # type: ignore[index]
        for line in range(at["y"], at["y"] + at["h"])  # type: ignore[index]
    ]
    assert len(cells) == len(set(cells))
    assert max(column for column, _ in cells) < 24
    titles = [panel["title"] for panel in panels()]
    assert len(titles) == len(set(titles))
