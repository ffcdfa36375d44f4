"""Asking the driver's tool, by a stand-in for it that prints what the real one prints."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from streamer.generator import gpus
from tests.support.nvidia_smi import RTX_4090, put_tool


def test_every_gpu_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_tool(tmp_path, f'echo "{RTX_4090}"; echo "Tesla T4, 15360 MiB, 15000 MiB, 580.82.07, 7.5"', monkeypatch)
    first, second = gpus.installed()
    assert (first.name, first.driver, first.capability) == ("NVIDIA GeForce RTX 4090", "580.82.07", "8.9")
    assert first.memory_gb == pytest.approx(25.76, abs=0.01)
    assert second.memory_gb == pytest.approx(16.11, abs=0.01)


def test_without_the_driver_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpus.tool() is None
    assert gpus.installed() == []


def test_a_tool_that_fails_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_tool(tmp_path, "echo 'NVIDIA-SMI has failed'; exit 9", monkeypatch)
    with pytest.raises(subprocess.CalledProcessError):
        gpus.installed()
