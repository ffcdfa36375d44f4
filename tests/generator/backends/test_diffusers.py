"""The diffusers backend's options, and a picture through the real generator process, on the CPU."""

from __future__ import annotations

import asyncio
import io
import sys
from pathlib import Path

import pytest
from PIL import Image
from pydantic import ValidationError

from streamer import installation
from streamer.commands.options import Sampling
from streamer.errors import BackendUnavailable
from streamer.generator.backends import diffusers
from streamer.generator.config import WorkerOptions, WorkerSetup
from streamer.generator.ipc import BackendUse
from streamer.generator.supervisor import Supervisor
from streamer.types import Actor, Frame, ImageRequest, Lane, Lora, RequestKind, Role, SamplingParams
from tests.support.generation import ready
from tests.support.lora_files import FLUX2_4B, SDXL, write_tensors


def test_a_listed_model_is_drawn_as_it_is_meant_to_be_and_another_as_the_options_say() -> None:
    assert diffusers.Options(model="sdxl-turbo").sampling == Sampling(1, 0.0)
    assert diffusers.Options(model="PixArt-alpha/PixArt-Sigma-XL-2-1024-MS").sampling == Sampling(20, 4.5)
    assert diffusers.Options(model="somebody/else", steps=9, guidance=2.0).sampling == Sampling(9, 2.0)


@pytest.mark.parametrize("wrong", [{"precision": "fp8"}, {"device": "tpu"}, {"without": ["kernels"]}, {"colour": 1}])
def test_what_does_not_exist_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        diffusers.Options.model_validate(wrong)


@pytest.mark.parametrize("model", ["sdxl-turbo", "stabilityai/sdxl-turbo"])
def test_a_lora_for_another_model_is_named_without_loading_any(model: str, tmp_path: Path) -> None:
    other, ours = (
        write_tensors(tmp_path / f"{name}.safetensors", made) for name, made in (("a", FLUX2_4B), ("b", SDXL))
    )
    options = diffusers.Options(model=model, lora=[str(ours), str(other)])
    with pytest.raises(BackendUnavailable) as caught:
        diffusers.create(options)
    said = f"generator.backends.diffusers.lora: {other} was made for FLUX.2-klein-4B, not for {model}"
    assert caught.value.problem == said
    diffusers.check_loras(options, [Lora(str(ours)), Lora("someone/on-the-hub")])


def test_without_torch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(sys.modules):
        if name.startswith("streamer.generator.pipelines") or name == "streamer.generator.klein.torch_compile":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(BackendUnavailable) as caught:
        diffusers.create(diffusers.Options())
    assert installation.add_extra("klein") in str(caught.value.fix)


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # diffusers' own
async def test_the_generator_process_draws_with_it(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("diffusers")
    from streamer.generator.pipelines.testing import make_checkpoint

    folder = make_checkpoint(tmp_path / "model", "sdxl")
    use = BackendUse("diffusers", {"model": str(folder), "device": "cpu"})
    process = Supervisor(WorkerSetup(WorkerOptions(deadline_s=100), use, ((96, 64),), tmp_path))
    request = ImageRequest(
        "1", "bg", RequestKind.BACKGROUND, "background", "a fox", "a fox", SamplingParams(96, 64, 2, 0.0, 7),
        Actor("1", "somebody", Role.VIEWER), Lane.CHAT, 0.0, 1e9,
    )  # fmt: skip
    running = asyncio.ensure_future(process.run())
    try:
        await asyncio.wait_for(ready(process), 100)
        items = [item async for item in process.draw(request)]
        assert isinstance(items[-1], Frame)
        assert Image.open(io.BytesIO(items[-1].data)).size == (96, 64)
        assert (process.active["model"], process.active["precision"]) == (str(folder), "float32")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
