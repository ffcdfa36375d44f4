"""Real keys on a real X server, the whole program running: what the streamer presses is what the overlay shows."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import websockets

from tests.support.display import need_keys, press, virtual_display
from tests.support.real_program import CONFIG, Remote, client, command, environment, free_port, wait_until_ready

KEYS = """\
triggers:
  - use: hotkey
    keys: {f6: tour, f7: clear, "<ctrl>+<alt>+1": "!bg harbour at night", f8: pause, <f9>: panic, <f10>: free}
"""
TABLE = CONFIG.replace("named_triggers: {", 'named_triggers: {tour: {kind: cycle, lines: ["!bg one", "!bg two"]}, ')


class Desk:
    """The running program, its screen, and what an overlay page hears."""

    def __init__(self, program: Remote, display: str, overlay: websockets.ClientConnection) -> None:
        self.program, self._display, self._overlay = program, display, overlay

    async def press(self, *keys: str) -> None:
        await press(*keys, display=self._display)

    async def hears(self, wanted: str) -> dict[str, object]:
        """Wait until the page is told something of this type."""
        async with asyncio.timeout(30):
            while True:
                message = await self._overlay.recv()
                header = message if isinstance(message, str) else message[4 : 4 + int.from_bytes(message[:4])]
                told: dict[str, object] = json.loads(header)
                if told["type"] == wanted:
                    return told

    async def drawn(self) -> list[str]:
        rows = (await self.program.client.get("/api/v1/requests")).json()
        return [row["text"] for row in reversed(rows)]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    need_keys()
    config, port = tmp_path / "config.yaml", free_port()
    config.write_text(TABLE + KEYS, encoding="utf-8")
    url = f"http://127.0.0.1:{port}"
    with virtual_display() as display:
        screen = {"DISPLAY": display, "XDG_SESSION_TYPE": "x11", "WAYLAND_DISPLAY": ""}
        environ = {**os.environ, **environment(tmp_path / "home", port, config), **screen}
        with command("run", environ=environ, log=tmp_path / "log"):
            wait_until_ready(url)
            program = Remote(url, tmp_path / "home", tmp_path / "log")
            async with client(url) as program.client, websockets.connect(f"ws://127.0.0.1:{port}/ws/overlay") as page:
                hello = {"v": 1, "type": "hello", "token": (tmp_path / "home/secrets/overlay").read_text()}
                await page.send(json.dumps(hello))
                await program.until(lambda status: status["sources"][0]["state"] == "ready")
                yield Desk(program, display, page)


async def test_keys_change_what_the_overlay_shows_and_a_stuck_key_fires_once(desk: Desk) -> None:
    await desk.hears("layers")
    # Down and never up: X repeats such a key 25 times a second.
    await desk.press("keydown", "F6", "sleep", "1.5")
    assert (await desk.hears("frame"))["layer"] == "background"
    assert await desk.drawn() == ["one"]
    await desk.press("key", "F7")
    assert (await desk.hears("clear"))["layer"] == "background"
    await desk.press("keyup", "F6", "sleep", "0.3", "key", "F6")
    await desk.hears("frame")
    await desk.press("key", "ctrl+alt+1")
    await desk.hears("frame")
    assert await desk.drawn() == ["one", "two", "harbour at night"]


async def test_pause_and_panic_are_one_key_each(desk: Desk) -> None:
    for paused in (True, False):
        await desk.press("key", "F8", "sleep", "0.3")
        await desk.program.until(lambda status, paused=paused: status["paused"] is paused)  # type: ignore[misc]
    await desk.press("key", "F6")
    await desk.hears("frame")
    await desk.press("key", "F9")
    assert (await desk.hears("clear"))["fade"] is False
    await desk.program.until(lambda status: status["paused"] and not any(status["on_air"].values()))


def generators(desk: Desk) -> list[int]:
    """Find the program's generator processes by the state directory they were given."""
    mine = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            child = "streamer.generator.worker" in process.cmdline()
            if child and process.environ().get("STREAMER_HOME") == str(desk.program.home):
                mine.append(process.pid)
    return mine


async def test_one_key_gives_the_gpu_away_and_takes_it_back(desk: Desk) -> None:
    assert len(generators(desk)) == 1
    await desk.press("key", "F10")
    assert (await desk.hears("card"))["title"] == "Back soon"
    await desk.program.until(lambda status: status["generator"]["state"] == "parked")
    assert generators(desk) == []
    held = await desk.program.say("!bg held", role="viewer")
    await desk.press("sleep", "0.2", "key", "F10")
    assert (await desk.program.ended(held["id"]))["state"] == "shown"
    assert (await desk.hears("card"))["title"] == ""
    assert len(generators(desk)) == 1
