"""Asking the driver's tool, by a stand-in for it that prints what the real one prints."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from streamer.generator import gpus
from tests.support.clock import ManualClock
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


BUSY = "0, NVIDIA GeForce RTX 4090, 87, 11000, 24564, 61, 312.50"
OLD = "1, Tesla K80, [N/A], 100, 11441, 40, [Not Supported]"


async def test_how_busy_each_gpu_is_comes_in_base_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_tool(tmp_path, f'echo "{BUSY}"; echo "{OLD}"', monkeypatch)
    first, second = await gpus.GpuMonitor().usage()
    assert (first.index, first.temperature_celsius) == ("0", 61.0)
    assert first.utilization == pytest.approx(0.87)
    assert (first.memory_used_bytes, first.memory_total_bytes) == (11_000 * 2**20, 24_564 * 2**20)
    assert (first.power_watts, second.power_watts, second.utilization) == (312.5, None, None)


async def test_the_driver_is_asked_once_for_all_who_ask_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_tool(tmp_path, f'echo x >> {tmp_path}/asked; echo "{BUSY}"', monkeypatch)
    clock = ManualClock()
    monitor = gpus.GpuMonitor(clock.now)
    answers = await asyncio.gather(monitor.usage(), monitor.usage())
    assert answers[0] == answers[1] == await monitor.usage()
    assert (tmp_path / "asked").read_text() == "x\n"
    clock.set(clock.now() + gpus.FRESH_S)
    await monitor.usage()
    assert (tmp_path / "asked").read_text() == "x\nx\n"


async def test_without_the_driver_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert await gpus.GpuMonitor().usage() == []


@pytest.mark.parametrize("script", ["echo 'NVIDIA-SMI has failed'; exit 9", "echo 'No devices were found'"])
async def test_a_driver_that_fails_is_told_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, script: str
) -> None:
    put_tool(tmp_path, script, monkeypatch)
    clock = ManualClock()
    monitor = gpus.GpuMonitor(clock.now)
    assert await monitor.usage() == []
    clock.set(clock.now() + gpus.FRESH_S)
    assert await monitor.usage() == []
    assert len(caplog.records) == 1
