"""The whole chain with real parts: the program, a browser or a model, and the OBS whose picture viewers see."""

from __future__ import annotations

import asyncio
import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.obs_program import SIZE, picture, program, window
from tests.support.real_obs import HEIGHT, WIDTH, RealObs, screen
from tests.support.real_program import CONFIG, Remote


def seen(real: RealObs, source: str = "Scene") -> np.ndarray:
    """Take a screenshot of what viewers see."""
    answer = real.ask("GetSourceScreenshot", sourceName=source, imageFormat="png", **SIZE)
    with Image.open(io.BytesIO(base64.b64decode(answer["imageData"].partition(",")[2]))) as shot:
        return np.asarray(shot.convert("RGB")).astype(int)


async def wait_until_seen(real: RealObs, wanted: np.ndarray, seconds: float = 15) -> None:
    """Wait until viewers see a picture, but for how two programs scale and round."""
    difference = 255.0
    async with asyncio.timeout(seconds):
        while difference > 6:
            difference = float(np.abs(seen(real) - wanted).mean())
            await asyncio.sleep(0.05)


async def wait_for_obs(remote: Remote) -> None:
    def connected(status: dict[str, list[dict[str, str]]]) -> bool:
        return any(source["name"] == "obs" and source["state"] in ("ready", "limited") for source in status["sources"])

    await remote.until(connected)


async def test_started_after_obs_or_before_it_pictures_come_to_be_seen(real: RealObs, tmp_path: Path) -> None:
    config = CONFIG + f"obs: {{port: {real.port}, install: true}}\n"
    async with program(tmp_path, config) as remote:
        await wait_for_obs(remote)
        await wait_until_seen(real, await picture(remote, await remote.shown("!bg stormy harbour")))
        real.kill()
        await remote.until(lambda status: any(source["state"] == "away" for source in status["sources"]))
        late = await remote.shown("!bg desert at dawn")
        await asyncio.to_thread(real.start)
        await wait_for_obs(remote)
        await wait_until_seen(real, await picture(remote, late))
        assert real.inputs() == ["streamer background", "streamer meme"]


@pytest.mark.browser
async def test_the_overlay_in_a_browser_is_what_obs_sends_out(with_browser: RealObs, tmp_path: Path) -> None:
    config = CONFIG + f"obs: {{port: {with_browser.port}}}\n"
    async with program(tmp_path, config) as remote:
        url = (await remote.client.get("/api/v1/overlay")).json()["url"]
        with screen(WIDTH, HEIGHT) as display, window(url, display, tmp_path / "profile"):
            capture = {"show_cursor": False, "advanced": True, "server": display}
            with_browser.ask(
                "CreateInput", sceneName="Scene", inputName="overlay", inputKind="xshm_input", inputSettings=capture
            )
            await remote.until(lambda status: status["pages"] == 1)
            for line in ("!bg stormy harbour", "!bg desert at dawn"):
                await wait_until_seen(with_browser, await picture(remote, await remote.shown(line)))
            await remote.client.post("/api/v1/panic")
            async with asyncio.timeout(10):
                while seen(with_browser)[:-2, :-2].std() > 1:
                    await asyncio.sleep(0.05)


@pytest.mark.torch
async def test_what_obs_shows_goes_through_the_model_and_back_on_air(real: RealObs, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the klein backend needs the klein extra")
    from streamer.generator.klein.testing import make_checkpoint

    make_checkpoint(tmp_path / "tiny")
    config = CONFIG + (
        f"obs: {{port: {real.port}, install: true, program_picture: true}}\n"
        f"generator: {{use: klein, backends: {{klein: {{model: '{tmp_path / 'tiny'}', device: cpu, text_tokens: 64,"
        " optimize: 'off', reference_px: 64}}}\n"
    )
    config = config.replace(
        "  undo:", "  restyle: {kind: restyle, layer: background, width: 128, height: 80}\n  undo:", 1
    )
    async with program(tmp_path, config) as remote:
        await wait_for_obs(remote)
        refused = await remote.say("!restyle noir", role="viewer")
        assert refused["rule"] == "role"
        await wait_until_seen(real, await picture(remote, await remote.shown("!restyle noir")))
