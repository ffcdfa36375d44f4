"""On a GPU styles change under captured graphs, and pictures are those of LoRAs that are merged at the start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
import torch

pytest.importorskip("triton")
pytest.importorskip("diffusers")
if not torch.cuda.is_available():
    pytest.skip("needs an NVIDIA GPU", allow_module_level=True)

from streamer.generator.backends import diffusers, klein
from streamer.generator.klein.checkpoint_files import read_transformer_config
from streamer.generator.klein.testing import make_checkpoint
from streamer.generator.lora.testing import make_lora
from streamer.generator.pipelines.testing import make_checkpoint as make_pipeline_checkpoint
from streamer.types import Actor, ImageRequest, Lane, Lora, RequestKind, Role, SamplingParams
from tests.support.pixart_lora import pixart_lora

pytestmark = pytest.mark.gpu

SIZES = ((96, 64), (64, 64))
PLAIN = ImageRequest(
    "1", "bg", RequestKind.BACKGROUND, "background", "a fox", "a fox", SamplingParams(96, 64, 4, 1.0, 7),
    Actor("1", "somebody", Role.VIEWER), Lane.CHAT, 0.0, 1e9,
)  # fmt: skip


def quiet(doing: str, share: float) -> None:
    """Report to nobody."""


def ready(backend: Any, *styles: Lora) -> Callable[..., Any]:
    """Load and make fast; return what draws with some LoRAs and returns pixels."""
    backend.expect_loras(styles)
    backend.load(quiet)
    backend.warm_up(SIZES, quiet)
    while backend.idle(quiet):
        pass

    def draw(*loras: Lora) -> Any:
        *_, picture = backend.draw(replace(PLAIN, loras=loras))
        return picture.pixels()

    return draw


@pytest.mark.parametrize("precision", ["fp8", "int8", "bfloat16"])
@pytest.mark.parametrize("half_free", [True, False])
def test_klein_changes_styles_under_its_graphs(
    precision: Any, half_free: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From GPU memory and from main memory; without a style every pixel is as before."""
    monkeypatch.setattr("streamer.generator.lora.switch._stays_half_free", lambda device, gb: half_free)
    folder = make_checkpoint(tmp_path / "tiny", dtype=torch.bfloat16)
    paths = [
        make_lora(tmp_path / f"{seed}.safetensors", read_transformer_config(folder), seed=seed, dtype=torch.bfloat16)
        for seed in (1, 2)
    ]
    first, second = (Lora(str(path), 1.0, f"styles.{path.stem}.lora") for path in paths)
    options = klein.Options(model=str(folder), text_tokens=64, precision=precision, warm_in_background=False)
    backend = klein.create(options)
    draw = ready(backend, first, second)
    pictures = [draw(*loras) for loras in ((), (first,), (second,), (first,), ())]
    assert ("GPU memory" if half_free else "main memory") in backend.active()["style_loras"]
    assert np.array_equal(pictures[0], pictures[4])
    assert np.array_equal(pictures[1], pictures[3])
    assert not np.array_equal(pictures[1], pictures[2])
    merged = ready(klein.create(options.model_copy(update={"lora": klein.Options(lora=first.path).lora})))
    assert np.array_equal(merged(), pictures[1])


def test_a_pipeline_changes_styles_under_its_graphs(tmp_path: Path) -> None:
    """Compiled and captured networks follow."""
    folder = make_pipeline_checkpoint(tmp_path / "pixart", "pixart")
    style = Lora(str(pixart_lora(tmp_path / "ink.safetensors", 1)), 0.5, "styles.ink.lora")
    draw = ready(diffusers.create(diffusers.Options(model=str(folder), warm_in_background=False)), style)
    pictures = [draw(*loras) for loras in ((), (style,), (), (style,))]
    assert np.array_equal(pictures[0], pictures[2])
    assert np.array_equal(pictures[1], pictures[3])
    assert not np.array_equal(pictures[0], pictures[1])
