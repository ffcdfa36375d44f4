"""Klein's options, and a picture through the real generator process, on the CPU."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

from PIL import Image
from pydantic import ValidationError

from streamer.generator.backends import klein
from streamer.generator.config import WorkerOptions, WorkerSetup
from streamer.generator.ipc import BackendUse
from streamer.generator.supervisor import Supervisor
from streamer.types import Actor, Frame, ImageRequest, Lane, Preview, RequestKind, Role, SamplingParams
from tests.support.generation import ready

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
