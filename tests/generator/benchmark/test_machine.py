"""The machine is described without importing anything heavy."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from streamer import __version__
from streamer.generator.benchmark.machine import machine_here
from tests.support.nvidia_smi import RTX_4090, put_tool


def test_card_driver_and_versions_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_tool(tmp_path, f'echo "{RTX_4090}"', monkeypatch)
    found = machine_here()
    assert (found.card, found.driver) == ("NVIDIA GeForce RTX 4090", "580.82.07")
    assert found.memory_gb == pytest.approx(25.8, abs=0.1)
    assert found.versions["streamer"] == __version__
    assert found.versions["numpy"] == version("numpy")


def test_a_machine_without_a_driver_has_no_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = machine_here()
    assert (found.card, found.memory_gb, found.driver) == ("no NVIDIA GPU", None, "")


def test_a_driver_whose_tool_fails_is_no_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_tool(tmp_path, "exit 9", monkeypatch)
    assert machine_here().card == "no NVIDIA GPU"


def test_the_command_itself_never_imports_pytorch() -> None:
    code = (
        "import sys; from streamer.generator.benchmark import command, cases; "
        "from streamer.generator.benchmark.machine import machine_here; machine_here(); "
        "sys.exit('torch' in sys.modules or 'diffusers' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3], timeout=60)
