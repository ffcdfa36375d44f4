"""The playground in a real browser, beside the real program: private pictures, and one that goes on air on request.

It runs in .venv-playground (scripts/playground.sh), since Gradio needs an older Pillow than the other tests.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, async_playwright
from websockets.asyncio.client import connect

from streamer.overlay import wire
from tests.support.browsers import CURRENT, fact, launch
from tests.support.paths import ROOT
from tests.support.real_program import OPERATOR, Remote, free_port, standing_token

pytestmark = pytest.mark.browser

PYTHON = ROOT / ".venv-playground" / "bin" / "python"
LINK = re.compile(r"Playground: (http://\S+)")
SHOWN = "document.querySelector('#{} img')?.naturalWidth"


@pytest.fixture(scope="module")
def link(served: Remote, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run ``streamer playground`` beside the running program; return the link that it prints."""
    if not PYTHON.exists():
        pytest.skip("no Gradio here: run scripts/playground.sh")
    log = tmp_path_factory.mktemp("playground") / "log"
    config = served.home.parent / "config.yaml"
    with playground(log, served.home, config) as process:
        deadline = time.monotonic() + 60
        while (found := LINK.search(log.read_text(encoding="utf-8"))) is None:
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, "no link"
            time.sleep(0.05)
        yield found[1]
    assert "Traceback" not in log.read_text(encoding="utf-8")


@contextmanager
def playground(log: Path, home: Path, config: Path) -> Iterator[subprocess.Popen[bytes]]:
    environ = {
        **os.environ, "STREAMER_HOME": str(home), "STREAMER_CONFIG": str(config), "STREAMER_OPERATOR_TOKEN": OPERATOR,
        "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    command = [str(PYTHON), "-m", "streamer", "playground", "--no-browser", "--port", str(free_port())]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output, cwd=ROOT)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


@asynccontextmanager
async def opened(link: str) -> AsyncIterator[Page]:
    """Open the page; a script error or a request to another host fails the test."""
    errors: list[str] = []
    requested: list[str] = []
    own = link.partition("?")[0]
    async with async_playwright() as playwright:
        browser = await launch(playwright, CURRENT)
        page = await browser.new_page(viewport={"width": 1440, "height": 1000})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda sent: requested.append(sent.url))
        await page.goto(link)
        await fact(page, "!!document.querySelector('#prompt textarea')")
        assert page.url == own
        yield page
    assert errors == []
    assert [url for url in requested if not url.startswith((own, "blob:", "data:"))] == []


@asynccontextmanager
async def overlay(program: Remote) -> AsyncIterator[list[str]]:
    """Be an overlay page that paints everything; yield the ids of the frames that it was sent."""
    frames: list[str] = []

    async def read() -> None:
        async for message in socket:
            if isinstance(message, bytes):
                header, _ = wire.decode_picture(message)
                frames.append(str(header["request_id"]))
                await socket.send(
                    json.dumps({"type": "painted", **{key: header[key] for key in ("seq", "request_id", "layer")}})
                )

    async with connect(program.url.replace("http", "ws") + "/ws/overlay", max_size=None) as socket:
        token = standing_token(program, "overlay")
        await socket.send(json.dumps({"v": 1, "type": "hello", "token": token, "layers": None}))
        reading = asyncio.create_task(read())
        try:
            yield frames
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def shows(page: Page, place: str, text: str) -> None:
    """Wait until a place of the page says something."""
    await fact(page, f"document.querySelector('#{place}')?.innerText.includes({json.dumps(text)})")


async def test_what_is_wrong_is_said_and_a_picture_is_seen_here_alone_until_it_is_put_on_air(
    link: str, program: Remote
) -> None:
    async with opened(link) as page, overlay(program) as frames:
        await page.click("#draw")
        await fact(page, "document.body.innerText.includes('write what to draw')")
        await page.fill("#prompt textarea", "a forbiddenword")
        await page.click("#draw")
        await shows(page, "state", "refused")
        await page.fill("#prompt textarea", "stormy harbour")
        await page.click("#size input")
        await page.get_by_role("option", name="512x512").click()
        await page.fill("#seed textarea, #seed input", "77")
        await page.click("#draw")
        await shows(page, "state", "seed 77")
        await fact(page, f"{SHOWN.format('picture')} === 512")
        await shows(page, "times", "stormy harbour, wide establishing shot")
        viewers = await program.shown("!meme a cat | hello", role="viewer", name="ann")
        async with asyncio.timeout(20):
            while viewers not in frames:
                await asyncio.sleep(0.02)
        assert [frame for frame in frames if frame.startswith("draft-")] == []
        assert (await program.status())["on_air"]["background"] is None
        await page.click("#air")
        await shows(page, "state", "On air")
        on_air = (await program.status())["on_air"]["background"]
        assert on_air.startswith("draft-")
        async with asyncio.timeout(20):
            while on_air not in frames:
                await asyncio.sleep(0.02)


async def test_a_grid_and_two_settings_are_drawn_and_one_of_the_grid_goes_on_air(link: str, program: Remote) -> None:
    async with opened(link) as page:
        await page.fill("#prompt textarea", "a fox in the snow")
        await page.fill("#seed textarea, #seed input", "5")
        await page.get_by_role("tab", name="Grid of seeds").click()
        await page.click("#draw-grid")
        await shows(page, "grid-state", "4 of 4")
        await page.click("#gallery button.thumbnail-item >> nth=2")
        await fact(page, "!document.querySelector('#air-grid').disabled")
        await page.click("#air-grid")
        await shows(page, "grid-state", "On air")
        row = (await program.client.get("/api/v1/requests?limit=1")).json()[0]
        assert (row["seed"], row["text"]) == (7, "a fox in the snow")
        await stops(page, program)
        await page.get_by_role("tab", name="Two settings").click()
        await page.fill("#steps-b input[type=number]", "2")
        await page.press("#steps-b input[type=number]", "Tab")
        await page.click("#draw-both")
        await shows(page, "both-state", "2 of 2")
        await shows(page, "both-times", "times as long")
        rows = "[...document.querySelectorAll('#both-times tbody tr')]"
        steps = await page.evaluate(f"{rows}.map(row => row.cells[2].innerText)")
        assert steps == ["4", "2"]


async def stops(page: Page, program: Remote) -> None:
    """Stop a grid that waits for the GPU: the program forgets all of it."""
    (await program.client.post("/api/v1/generator/free")).raise_for_status()
    async with connect(program.url.replace("http", "ws") + "/ws/drafts") as socket:
        await socket.send(json.dumps({"token": OPERATOR}))
        assert json.loads(await socket.recv()) == {"type": "hello"}
        await page.click("#draw-grid")
        waiting = [json.loads(await asyncio.wait_for(socket.recv(), 30))["id"] for _ in range(4)]
    await shows(page, "grid-state", "0 of 4")
    await page.click("#stop-draw-grid")
    async with asyncio.timeout(30):
        for draft_id in waiting:
            while (await program.client.get(f"/api/v1/drafts/{draft_id}")).status_code != 404:
                await asyncio.sleep(0.02)
    (await program.client.post("/api/v1/generator/warm")).raise_for_status()


async def test_nobody_gets_in_without_the_links_key(link: str) -> None:
    async with httpx.AsyncClient(base_url=link.partition("?")[0]) as stranger:
        for path in ("", "config", "gradio_api/info", "gradio_api/queue/join"):
            assert (await stranger.get(path)).status_code == 403
        other_site = await stranger.get("", headers={"origin": "https://example.com", "sec-fetch-site": "cross-site"})
        assert other_site.status_code == 403
