"""Klein's options, and a picture through the real generator process, on the CPU."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

from PIL import Image
from pydantic import ValidationError

from streamer.errors import BackendError, BackendUnavailable
from streamer.generator.backends import klein
from streamer.generator.config import WorkerOptions, WorkerSetup
from streamer.generator.ipc import BackendUse
from streamer.generator.supervisor import Supervisor
from streamer.types import Actor, Frame, ImageRequest, Lane, Lora, Preview, RequestKind, Role, SamplingParams
from tests.support.generation import ready
from tests.support.lora_files import FLUX2_9B, write_tensors

pytestmark = pytest.mark.torch

SIZES = ((96, 64), (64, 64))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in the diffusers layout."""
    from streamer.generator.klein.testing import make_checkpoint

    return make_checkpoint(tmp_path_factory.mktemp("klein") / "tiny")


def options_for(checkpoint: Path, **more: Any) -> klein.Options:
    return klein.Options(**{"model": str(checkpoint), "device": "cpu", "text_tokens": 64, **more})


def request(width: int = 96, height: int = 64, steps: int = 4, reference: bytes | None = None) -> ImageRequest:
    return ImageRequest(
        "1", "bg", RequestKind.BACKGROUND, "background", "a fox", "a fox", SamplingParams(width, height, steps, 1.0, 7),
        Actor("1", "somebody", Role.VIEWER), Lane.CHAT, 0.0, 1e9, reference=reference,
    )  # fmt: skip


@pytest.mark.parametrize("wrong", [{"text_tokens": 100}, {"device": "tpu"}, {"speed": "ludicrous"}])
def test_wrong_options_are_refused(wrong: dict[str, Any]) -> None:
    """Unknown keys and values are errors."""
    with pytest.raises(ValidationError):
        klein.Options(**wrong)


async def test_a_picture_through_the_generator_process(checkpoint: Path, tmp_path: Path) -> None:
    """The real child process loads the checkpoint, gets fast while idle, and draws a JPEG."""
    options = options_for(checkpoint).model_dump()
    process = Supervisor(WorkerSetup(WorkerOptions(deadline_s=100), BackendUse("klein", options), SIZES, tmp_path))
    running = asyncio.ensure_future(process.run())
    try:
        await asyncio.wait_for(ready(process), 100)
        items = [item async for item in process.draw(request())]
        assert [type(item) for item in items] == [Preview] * 4 + [Frame]
        assert items[-1].media_type == "image/jpeg"
        assert Image.open(io.BytesIO(items[-1].data)).size == (96, 64)
        assert process.active["model"] == str(checkpoint)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_styles_lora_travels_to_the_generator_process(checkpoint: Path, tmp_path: Path) -> None:
    """A request with a LoRA is drawn with it, and the next one without is drawn as before, to the last byte."""
    style = Lora(str(lora_for(checkpoint, tmp_path / "ink.safetensors")), 1.0, "styles.ink.lora")
    use = BackendUse("klein", options_for(checkpoint, optimize="off").model_dump())
    process = Supervisor(WorkerSetup(WorkerOptions(deadline_s=100), use, SIZES, tmp_path, loras=(style,)))
    running = asyncio.ensure_future(process.run())
    try:
        await asyncio.wait_for(ready(process), 100)
        pictures = []
        for loras in ((), (style,), (), (Lora(style.path, 1.0),)):
            *_, frame = [item async for item in process.draw(replace(request(steps=2), loras=loras))]
            pictures.append(frame.data)
        assert pictures[0] == pictures[2] != pictures[1] == pictures[3]
        assert process.active["style_loras"].startswith("styles.ink.lora in ")
        with pytest.raises(BackendError, match="the LoRA a/b is not loaded"):
            [item async for item in process.draw(replace(request(), loras=(Lora("a/b"),)))]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def lora_for(checkpoint: Path, path: Path) -> Path:
    """Write a LoRA that fits the checkpoint."""
    from streamer.generator.klein.checkpoint_files import read_transformer_config
    from streamer.generator.lora.testing import make_lora

    return make_lora(path, read_transformer_config(checkpoint), rank=2)


def test_a_lora_for_another_model_is_named_before_anything_is_loaded(checkpoint: Path, tmp_path: Path) -> None:
    """By its option, with the model that it fits; a listed model needs no folder for that."""
    other = write_tensors(tmp_path / "nine.safetensors", FLUX2_9B)
    for model in (str(checkpoint), "black-forest-labs/FLUX.2-klein-4B"):
        options = options_for(checkpoint, model=model, lora=[{"path": str(other), "weight": 0.5}])
        with pytest.raises(BackendUnavailable) as raised:
            klein.create(options)
        said = f"generator.backends.klein.lora: {other} was made for FLUX.2-klein-9B, not for {model}"
        assert raised.value.problem.startswith(said)
    ours = Lora(str(lora_for(checkpoint, tmp_path / "ink.safetensors")))
    klein.check_loras(options_for(checkpoint), [ours, Lora("someone/on-the-hub")])


def test_a_draft_takes_two_steps_and_its_own_lora() -> None:
    """Commands that say nothing else draw in two steps, and the LoRA for it comes before the others."""
    options = klein.Options(speed="draft", lora="a/b")
    assert (options.sampling.steps, klein.Options().sampling.steps) == (2, 4)
    assert [(lora.path, lora.option) for lora in options.loras] == [
        ("radames/FLUX.2-klein-Sana-Sprint", "generator.backends.klein.draft_lora"),
        ("a/b", "generator.backends.klein.lora"),
    ]
    assert klein.Options(speed="full").loras == ()
    klein.check_files(klein.Options(speed="draft"))
    nine = "black-forest-labs/FLUX.2-klein-9B"
    klein.check_files(klein.Options(speed="draft", model=nine, draft_lora="someone/fast-9b"))
    with pytest.raises(BackendUnavailable, match="Sana-Sprint is for the 4B; set draft_lora to one for klein-9b, or"):
        klein.check_files(klein.Options(speed="draft", model=nine))
