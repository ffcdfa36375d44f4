"""The fastest precision wins when it is clearly faster, and what was measured is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.generator.klein.measured_choice import (
    FILE,
    Measurement,
    attentions,
    remember,
    remembered,
    use_fastest_attention,
)
from streamer.generator.klein.optimizations import DeviceInfo, Optimizations

HOPPER = Measurement(
    products={"fp8": 20.0, "int8": 24.0, "bfloat16": 38.0},
    attention={"sdpa": 9.0, "flash": 8.0, "cudnn": 5.0, "fp8": 3.0},
)
KERNELS = Optimizations("fp8", attention="sdpa", kernels=True)


def test_the_fastest_precision_is_chosen() -> None:
    """A step is its products and its best attention."""
    assert HOPPER.best_precision() == "fp8"
    assert HOPPER.step_ms("fp8") == 23.0
    assert HOPPER.step_ms("int8") == 29.0


def test_a_card_on_which_int8_is_faster_gets_int8() -> None:
    """On consumer cards int8 has twice the rate of fp8 on paper: what was measured decides."""
    ada = Measurement({"fp8": 70.0, "int8": 45.0, "bfloat16": 130.0}, {"flash": 12.0})
    assert ada.best_precision() == "int8"


def test_noise_does_not_change_the_choice() -> None:
    """A precision listed later must be clearly faster."""
    even = Measurement({"fp8": 20.0, "int8": 19.6}, {"cudnn": 5.0})
    assert even.best_precision() == "fp8"


def test_the_fp8_attention_needs_the_fp8_kernels() -> None:
    """It reads what they leave; without them the next best is used, and none where it is switched off."""
    assert use_fastest_attention(HOPPER, KERNELS, ()).attention == "fp8"
    assert use_fastest_attention(HOPPER, Optimizations("int8", kernels=True), ()).attention == "cudnn"
    assert use_fastest_attention(HOPPER, Optimizations("fp8"), ()).attention == "cudnn"
    assert use_fastest_attention(HOPPER, KERNELS, without=["attention"]).attention == "sdpa"


def test_attention_of_a_card() -> None:
    """Old cards have PyTorch's own; the fp8 one needs cuDNN's interface."""
    assert attentions(DeviceInfo("cuda", "old", (7, 5))) == ["sdpa"]
    assert attentions(DeviceInfo("cuda", "new", (9, 0), fp8_attention=True)) == ["sdpa", "flash", "cudnn", "fp8"]


def test_measurements_are_remembered_by_card_and_model(tmp_path: Path) -> None:
    """A second measurement does not replace the first, and numbers come back as they were."""
    other = Measurement({"int8": 1.0}, {"sdpa": 2.0})
    remember(tmp_path, "H200, 4B", HOPPER)
    remember(tmp_path, "RTX 3060, 4B", other)
    assert remembered(tmp_path) == {"H200, 4B": HOPPER, "RTX 3060, 4B": other}


@pytest.mark.parametrize("content", ["", "{", '{"H200": {"products": {"fp9": 1}, "attention": {}}}'])
def test_a_damaged_file_is_measured_again(tmp_path: Path, content: str) -> None:
    """What cannot be read counts as nothing, and the next measurement replaces it."""
    (tmp_path / FILE).write_text(content)
    assert remembered(tmp_path) == {}
    remember(tmp_path, "H200, 4B", HOPPER)
    assert remembered(tmp_path) == {"H200, 4B": HOPPER}


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    """The next start measures again."""
    (tmp_path / "home").write_text("a file where the folder should be")
    remember(tmp_path / "home", "H200, 4B", HOPPER)
    assert remembered(tmp_path / "home") == {}


def test_words_name_the_fastest_first() -> None:
    """What status and doctor show."""
    words = HOPPER.in_words()
    assert words == "fp8 23.0, int8 29.0, bfloat16 43.0 ms a step; attention: fp8 3.0, cudnn 5.0, flash 8.0, sdpa 9.0"
