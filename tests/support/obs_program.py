"""The whole program beside a real OBS."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from tests.support.browsers import CURRENT, FLAGS, require
from tests.support.real_obs import HEIGHT, PASSWORD, WIDTH
from tests.support.real_program import Remote, client, command, environment, free_port, wait_until_ready

SIZE = {"imageWidth": WIDTH, "imageHeight": HEIGHT}


@asynccontextmanager
async def program(folder: Path, config: str, seconds: float = 60) -> AsyncIterator[Remote]:
    """Run the program with a config and speak to it."""
    port, path = free_port(), folder / "config.yaml"
    path.write_text(config, encoding="utf-8")
    environ = environment(folder / "home", port, path) | {"STREAMER_OBS_PASSWORD": PASSWORD}
    remote = Remote(f"http://127.0.0.1:{port}", folder / "home", folder / "log")
    with command("run", environ=environ, log=remote.log):
        await asyncio.to_thread(wait_until_ready, remote.url, seconds)
        async with client(remote.url) as remote.client:
            yield remote
    log = remote.log.read_text()
    assert "Traceback" not in log, log
    assert PASSWORD not in log


async def picture(remote: Remote, request_id: str) -> np.ndarray:
    """Return the picture of a request, as large as the canvas shows it: cropped to fill."""
    answer = await remote.client.get(f"/api/v1/pictures/{request_id}/image")
    image = Image.open(io.BytesIO(answer.content)).convert("RGB")
    scale = max(WIDTH / image.width, HEIGHT / image.height)
    image = image.resize((round(image.width * scale), round(image.height * scale)))
    left, top = (image.width - WIDTH) // 2, (image.height - HEIGHT) // 2
    return np.asarray(image.crop((left, top, left + WIDTH, top + HEIGHT))).astype(int)


@contextmanager
def window(url: str, display: str, profile: Path) -> Iterator[None]:
    """Show a page on a screen and nothing else, in a browser that says it is OBS's."""
    flags = [flag for flag in FLAGS if flag != "--disable-gpu"]
    command_line = [
        str(require(CURRENT)), *flags, f"--app={url}", "--kiosk", f"--user-data-dir={profile}", "--window-position=0,0",
        f"--window-size={WIDTH},{HEIGHT}", "--hide-scrollbars", "--disable-gpu",
        "--user-agent=Mozilla/5.0 Chrome/127.0.6533.120 OBS/31.0.2 Safari/537.36",
    ]  # fmt: skip
    environ = os.environ | {"DISPLAY": display}
    browser = subprocess.Popen(
        command_line, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        os.killpg(browser.pid, signal.SIGTERM)
        browser.wait(10)
