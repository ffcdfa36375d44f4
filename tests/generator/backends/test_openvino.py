"""The openvino backend's options, and a picture through the real generator process."""

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
from streamer.generator.backends import openvino
from streamer.generator.config import WorkerOptions, WorkerSetup
from streamer.generator.ipc import BackendUse
from streamer.generator.supervisor import Supervisor
from streamer.types import Actor, Frame, ImageRequest, Lane, RequestKind, Role, SamplingParams
from tests.support.generation import ready


def test_a_listed_model_is_drawn_as_it_is_meant_to_be_and_another_as_the_options_say() -> None:
    assert openvino.Options(model="sdxs-512").sampling == Sampling(1, 0.0)
    assert openvino.Options(model="stabilityai/sd-turbo").sampling == Sampling(1, 0.0)
    assert openvino.Options(model="somebody/lcm", steps=4, guidance=8.0).sampling == Sampling(4, 8.0)


@pytest.mark.parametrize("wrong", [{"precision": "int8"}, {"weights": "fp8"}, {"threads": -1}, {"device": "cpu"}])
def test_what_does_not_exist_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        openvino.Options.model_validate(wrong)


def test_a_model_for_a_gpu_is_refused_at_once() -> None:
    with pytest.raises(BackendUnavailable, match="klein-4b does not draw on the processor"):
        openvino.create(openvino.Options(model="klein-4b"))


def test_without_openvino_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(sys.modules):
        if name.startswith("streamer.generator.openvino."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(BackendUnavailable) as caught:
        openvino.create(openvino.Options())
    assert installation.add_extra("cpu") in str(caught.value.fix)


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # diffusers' own
async def test_the_generator_process_draws_with_it(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("diffusers")
    import streamer.generator.openvino  # noqa: F401 - before OpenVINO

    pytest.importorskip("openvino")
    from streamer.generator.openvino.testing import make_checkpoint

    folder = make_checkpoint(tmp_path / "model", "sdxs")
    use = BackendUse("openvino", {"model": str(folder), "threads": 1})
    process = Supervisor(WorkerSetup(WorkerOptions(deadline_s=100), use, ((96, 64),), tmp_path))
    request = ImageRequest(
        "1", "bg", RequestKind.BACKGROUND, "background", "a fox", "a fox", SamplingParams(96, 64, 1, 0.0, 7),
        Actor("1", "somebody", Role.VIEWER), Lane.CHAT, 0.0, 1e9,
    )  # fmt: skip
    running = asyncio.ensure_future(process.run())
    try:
        await asyncio.wait_for(ready(process), 100)
        items = [item async for item in process.draw(request)]
        assert isinstance(items[-1], Frame)
        assert Image.open(io.BytesIO(items[-1].data)).size == (96, 64)
        assert (process.active["model"], process.active["weights"]) == (str(folder), "int8")
        assert (tmp_path / "processor.json").exists()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
