"""How much memory a model needs is known before it is loaded, and the mode that fits is chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from streamer.errors import BackendUnavailable
from streamer.generator.klein.optimizations import DeviceInfo, MemoryMode
from streamer.generator.klein.vram import choose_memory, needed_gb, require_memory, weights_gb

pytestmark = pytest.mark.torch

SIZES_GB = {"transformer": 7.75, "text_encoder": 8.04, "vae": 0.17}
"""The files of the 4B."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder whose files have the sizes of the 4B's and hold nothing."""
    for part, size in SIZES_GB.items():
        (tmp_path / part).mkdir()
        with (tmp_path / part / "model.safetensors").open("wb") as file:
            file.truncate(int(size * 1e9))
    return tmp_path


def card(memory_gb: float) -> DeviceInfo:
    return DeviceInfo("cuda", "card", (8, 9), memory_gb)


@pytest.mark.parametrize(
    ("memory_gb", "mode"), [(24.0, "full"), (12.5, "full"), (10.7, "small"), (8.6, "tiny"), (6.4, "tiny")]
)
def test_a_card_gets_the_mode_that_fits(folder: Path, memory_gb: float, mode: MemoryMode) -> None:
    """12 GB hold the 4B whole in eight bits; with 10 its embedding stays on the host, with 8 its layers too."""
    assert choose_memory(card(memory_gb), "fp8", folder) == mode


def test_the_cpu_has_one_memory(folder: Path) -> None:
    """There is nothing to save on the host."""
    assert choose_memory(DeviceInfo("cpu", "CPU"), "float32", folder) == "full"


def test_each_mode_keeps_less_on_the_gpu(folder: Path) -> None:
    """The transformer and the VAE always stay."""
    full, small, tiny = (weights_gb(folder, mode) for mode in ("full", "small", "tiny"))
    assert full > small > tiny > SIZES_GB["transformer"]


def test_a_card_that_is_too_small_is_refused_before_loading(folder: Path) -> None:
    """The message names what is needed and what there is."""
    enough = needed_gb("fp8", weights_gb(folder, "tiny"), "tiny") + 0.1
    require_memory(card(enough), "fp8", folder, "tiny", "the model")
    with pytest.raises(BackendUnavailable, match="needs about 7 GB and card has 4 GB"):
        require_memory(card(4.0), "fp8", folder, "tiny", "the model")
