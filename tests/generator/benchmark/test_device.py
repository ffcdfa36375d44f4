"""Which device draws, and how much memory it took."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from streamer.generator.benchmark import device


def test_the_painter_draws_on_the_processor() -> None:
    drawing = device.device_of("procedural")
    assert drawing == device.DrawingDevice(device.processor())
    assert not drawing.is_gpu


@pytest.mark.torch
def test_a_model_draws_on_the_best_gpu_that_pytorch_can_use_or_on_the_processor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("diffusers")
    from streamer.errors import BackendUnavailable
    from streamer.generator.klein import device as klein_device
    from streamer.generator.klein.optimizations import DeviceInfo

    def no_gpu(_requested: str) -> object:
        raise BackendUnavailable("no usable GPU")

    monkeypatch.setattr(klein_device, "find_device", no_gpu)
    assert device.device_of("diffusers") == device.DrawingDevice(device.processor(), torch.device("cpu"))
    monkeypatch.setattr(klein_device, "find_device", lambda _requested: torch.device("xpu", 0))
    monkeypatch.setattr(klein_device, "describe_device", lambda _found: DeviceInfo("xpu", "Arc", memory_gb=25.0))
    found = device.device_of("klein")
    assert found == device.DrawingDevice("Arc", torch.device("xpu", 0), 25.0)
    assert found.is_gpu


def test_a_processor_without_a_list_of_facts_has_a_name_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "CPU_INFO", tmp_path / "missing")
    assert device.processor()
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: AMD EPYC\n", "utf-8")
    monkeypatch.setattr(device, "CPU_INFO", tmp_path / "cpuinfo")
    assert device.processor() == "AMD EPYC"


@pytest.mark.skipif(sys.platform == "win32", reason="Python cannot tell there")
def test_the_peak_of_the_process_grows_with_what_it_holds() -> None:
    before = device.peak_of_process()
    assert before is not None
    held = bytearray(int(before * 1e9) + 10**8)
    after = device.DrawingDevice("CPU").peak_gb()
    assert after is not None
    assert after * 1e9 >= len(held)
