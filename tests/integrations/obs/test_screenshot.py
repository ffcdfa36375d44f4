"""A picture of what viewers see, from the real OBS."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from streamer.errors import BackendError, Unsupported
from tests.support.fake_obs import fake_obs
from tests.support.obs_parts import close, running_obs
from tests.support.real_obs import RealObs


async def test_what_viewers_see_is_a_picture_to_edit(real: RealObs, tmp_path: Path) -> None:
    real.ask(
        "CreateInput",
        sceneName="Scene",
        inputName="red",
        inputKind="color_source_v3",
        inputSettings={"color": 0xFF0000FF},
    )
    async with running_obs(real.port, tmp_path, program_picture=True) as running:
        await running.ready()
        with Image.open(io.BytesIO(await running.obs.screenshot.picture())) as shot:
            assert (shot.format, shot.size) == ("JPEG", (1280, 720))
            assert close(shot.convert("RGB").getpixel((640, 360)), (255, 0, 0))  # type: ignore[arg-type]


async def test_no_picture_is_taken_unless_the_streamer_allows_it(real: RealObs, tmp_path: Path) -> None:
    async with running_obs(real.port, tmp_path) as running:
        await running.ready()
        with pytest.raises(Unsupported, match="has not switched this on"):
            await running.obs.screenshot.picture()


async def test_without_obs_there_is_no_picture_and_a_reason(tmp_path: Path) -> None:
    async with fake_obs() as fake:
        pass
    async with running_obs(fake.port, tmp_path, program_picture=True) as running:
        with pytest.raises(BackendError, match="OBS did not answer"):
            await running.obs.screenshot.picture()
