"""A walk through files is counted as scripts/walk.py says: calls and continuations, and no way back."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest

from scripts.walk import Recorder, figures, median_walk

MODULES = {
    "leaf": "import asyncio\n"
    "def touch(): pass\n"
    "async def wait():\n    await asyncio.sleep(0)\n    touch()\n",
    "middle": "from walked import leaf\n"
    "def twice():\n    leaf.touch()\n    here()\n    leaf.touch()\n"
    "def here(): pass\n"
    "async def pass_on():\n    await leaf.wait()\n",
    "top": "from walked import leaf, middle\n"
    "def call():\n    middle.twice()\n"
    "async def await_both():\n    await middle.pass_on()\n",
}  # fmt: skip


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Give the topmost of three modules that call one another."""
    package = tmp_path / "walked"
    package.mkdir()
    for name, source in {"__init__": "", **MODULES}.items():
        (package / f"{name}.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("walked.top")
    for name in [name for name in sys.modules if name.partition(".")[0] == "walked"]:
        del sys.modules[name]


def recorded(
    top: ModuleType,
    work: Callable[[], object],
    *,
    idle: Callable[[], object] | None = None,
    reacting: Sequence[str] = (),
) -> Recorder:
    recorder = Recorder(Path(str(top.__file__)).parent, reacting)
    before = sys.getprofile()
    sys.setprofile(recorder.note)
    try:
        if idle is not None:
            with recorder.on():
                idle()
            recorder.leave_out()
        with recorder.on():
            work()
    finally:
        sys.setprofile(before)
    return recorder


def test_calls_into_another_file_are_steps_a_function_counts_once_and_coming_back_is_none(top: ModuleType) -> None:
    walk = recorded(top, top.call).walk()
    assert walk == ["top.py", "middle.py", "leaf.py", "middle.py"]
    assert figures(walk) == {"files": 3, "changes": 3, "returns": 1}


def test_of_awaiting_functions_only_the_innermost_continues(top: ModuleType) -> None:
    walk = recorded(top, lambda: asyncio.run(top.await_both())).walk()
    assert walk == ["top.py", "middle.py", "leaf.py"]


def test_a_task_may_be_left_out_by_its_name(top: ModuleType) -> None:
    async def both() -> None:
        await asyncio.create_task(top.await_both(), name="outputs")
        top.middle.here()

    assert recorded(top, lambda: asyncio.run(both()), reacting=["outputs"]).walk() == ["middle.py"]


def test_a_walk_may_end_with_a_folder(top: ModuleType) -> None:
    assert recorded(top, top.call).walk(until="middle")[-1] == "middle.py"


def test_what_also_runs_idle_is_left_out(top: ModuleType) -> None:
    assert recorded(top, top.call, idle=top.middle.here).walk() == ["top.py", "middle.py", "leaf.py"]


def test_the_median_walk_is_one_of_those_taken() -> None:
    assert median_walk([["a", "b", "c"], ["a"], ["a", "b"]]) == ["a", "b"]
