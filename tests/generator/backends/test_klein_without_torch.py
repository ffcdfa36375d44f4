"""The Klein plug-in: its options are known without torch, and without torch it says what to install."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from streamer.config_file import read
from streamer.errors import BackendUnavailable
from streamer.generator.backends import klein


def test_the_options_are_checked_without_importing_torch() -> None:
    code = "import sys, streamer.generator.backends.klein as k; k.Options(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_wrong_optimization_is_refused_with_the_right_names(tmp_path: Path) -> None:
    """A typing error stops the program at the start, with its line, and not one worker after another."""
    path = tmp_path / "config.yaml"
    path.write_text("without: [kernels, kernel]\n")
    with pytest.raises(ExceptionGroup) as caught:
        read(path).check(klein.Options, {"without": ["kernels", "kernel"]})
    (error,) = caught.value.exceptions
    assert str(error) == (
        f"{path}:1: without.1: must be one of attention, fused_qkv, kernels, compile, graphs, fast_decoder, gpu_jpeg, "
        "not 'kernel'; did you mean 'kernels'?"
    )


def test_a_model_of_the_table_is_named_by_one_word() -> None:
    """The names are those of streamer models; one of another family is refused with what to set instead."""
    assert klein.Options(model="klein-9b").model == "black-forest-labs/FLUX.2-klein-9B"
    assert klein.Options(model="someone/else").model == "someone/else"
    with pytest.raises(ValidationError, match=r"sdxl-turbo is no FLUX.2 Klein; set generator.use to sdxl-turbo"):
        klein.Options(model="sdxl-turbo")


def test_the_policy_judge_needs_its_weights() -> None:
    """It reads the embedding and the last layers, which a small memory leaves on the host."""
    with pytest.raises(ValidationError, match="memory: the policy judge needs"):
        klein.Options(policy_judge=True, memory="tiny")
    assert klein.Options(policy_judge=True).memory == "auto"


def test_without_torch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("streamer.generator.klein.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(BackendUnavailable, match=r"torch is not installed; .*\[klein\]"):
        klein.create(klein.Options())
