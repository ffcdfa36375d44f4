"""The device is described, a missing one is explained, and copies leave it unchanged."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from streamer.errors import BackendUnavailable
from streamer.generator.klein.device import (
    Accelerators,
    AsyncHostCopy,
    choose_device,
    describe_device,
    find_accelerators,
    find_device,
)
from streamer.generator.klein.device_picture import DevicePicture

pytestmark = pytest.mark.torch


def test_the_cpu_is_used_when_asked_for_by_name() -> None:
    """Tests and tiny models run there."""
    assert find_device("cpu") == torch.device("cpu")
    assert describe_device(torch.device("cpu")).kind == "cpu"


@pytest.mark.parametrize(
    ("built_for", "trouble", "fix"),
    [
        (None, None, "no support for a GPU of this machine"),
        ("13.0", RuntimeError("The NVIDIA driver on your system is too old (found version 11040)\nmore"), "too old"),
        ("13.0", None, "nvidia-smi"),
    ],
)
def test_why_there_is_no_gpu_is_told(
    monkeypatch: pytest.MonkeyPatch, built_for: str | None, trouble: Exception | None, fix: str
) -> None:
    """Another build of torch, an old driver and a missing device are three different repairs."""

    def init() -> None:
        if trouble:
            raise trouble

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", built_for)
    monkeypatch.setattr(torch.cuda, "init", init)
    with pytest.raises(BackendUnavailable) as caught:
        find_device("auto")
    assert fix in caught.value.fix
    assert "\n" not in caught.value.fix


def test_a_gpu_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below compute capability 7.5 nothing here runs."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (6, 1))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "GTX 1080")
    with pytest.raises(BackendUnavailable, match="GTX 1080 is too old"):
        find_device("cuda:0")


TWO_NVIDIA: Accelerators = {"cuda": 2, "xpu": 0, "mps": 0}
AMD: Accelerators = {"hip": 1, "xpu": 0, "mps": 0}
NVIDIA_AND_INTEL: Accelerators = {"cuda": 1, "xpu": 1, "mps": 0}
MAC: Accelerators = {"cuda": 0, "xpu": 0, "mps": 1}
NONE: Accelerators = {"cuda": 0, "xpu": 0, "mps": 0}


@pytest.mark.parametrize(
    ("requested", "found", "chosen"),
    [
        ("auto", TWO_NVIDIA, ("cuda", 0)),
        ("auto", AMD, ("hip", 0)),
        ("auto", NVIDIA_AND_INTEL, ("cuda", 0)),
        ("auto", {"xpu": 1}, ("xpu", 0)),
        ("auto", MAC, ("mps", 0)),
        ("auto", NONE, None),
        ("cuda:1", TWO_NVIDIA, ("cuda", 1)),
        ("cuda:2", TWO_NVIDIA, None),
        ("cuda", AMD, ("hip", 0)),
        ("hip", AMD, ("hip", 0)),
        ("hip", TWO_NVIDIA, None),
        ("xpu:0", NVIDIA_AND_INTEL, ("xpu", 0)),
        ("mps", MAC, ("mps", 0)),
        ("mps", NVIDIA_AND_INTEL, None),
    ],
)
def test_the_device_is_chosen_by_what_the_machine_has(
    requested: str, found: Accelerators, chosen: tuple[str, int] | None
) -> None:
    """NVIDIA's GPUs come first; PyTorch calls AMD's cuda, and so may people."""
    assert choose_device(requested, found) == chosen


def test_what_this_machine_has_is_asked_of_pytorch() -> None:
    """Each build of PyTorch knows the GPUs of one maker."""
    found = find_accelerators()
    assert found["hip" if torch.version.hip else "cuda"] == torch.cuda.device_count()
    assert {"xpu", "mps"} < set(found)


def test_a_named_device_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message repeats what config.yaml says."""
    monkeypatch.setattr(torch.xpu, "is_available", lambda: False)
    with pytest.raises(BackendUnavailable, match="PyTorch sees no device xpu:1"):
        find_device("xpu:1")


def test_a_copy_is_what_it_was_when_it_was_started() -> None:
    """The step before can still be read while the next one writes."""
    source = torch.zeros(3)
    host_copy = AsyncHostCopy(source)
    for step in range(4):
        source.fill_(step)
        host_copy.start(step, source)
        if step:
            assert host_copy.take(step - 1).tolist() == [step - 1] * 3


def test_a_finished_picture_knows_its_size() -> None:
    """Width and height come from the pixels; without the GPU's encoder the host encodes."""
    picture = DevicePicture(torch.full((4, 6, 3), 7, dtype=torch.uint8), gpu_jpeg=False)
    assert (picture.width, picture.height) == (6, 4)
    assert np.array_equal(picture.pixels(), np.full((4, 6, 3), 7, dtype=np.uint8))
    assert picture.jpeg(90) is None
