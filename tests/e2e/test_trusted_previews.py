"""A preview is gone from the page at once when a judge blocks the picture, and a blur for everybody where one looks."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from streamer.overlay import wire
from tests.support.real_program import CONFIG, Remote, client, command, environment, free_port, wait_until_ready

JUDGED = """\
generator:
  use: tests.support.slow_painter
  backends: {tests.support.slow_painter: {step_s: 0.5}}
  judges: [{use: tests.support.scripted_judge, takes_s: 0.5, hold: {}, block: {red: 0.0001}}]
"""


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    folder, port = tmp_path_factory.mktemp("judged"), free_port()
    (folder / "config.yaml").write_text(JUDGED + CONFIG.replace("- {use: role}", "- {use: role}\n  - {use: picture}"))
    environ = environment(folder / "home", port, folder / "config.yaml")
    environ["PYTHONPATH"] = os.pathsep.join((str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")))
    with command("run", environ=environ, log=folder / "log"):
        wait_until_ready(f"http://127.0.0.1:{port}")
        yield Remote(f"http://127.0.0.1:{port}", folder / "home", folder / "log")


async def seen(remote: Remote, role: str, until: str) -> list[dict[str, Any]]:
    """Ask for a picture and return what a page is told about the background until a ``until`` comes."""
    async with client(remote.url) as remote.client:
        address = (await remote.client.get("/api/v1/overlay")).json()["url"]
        token = address.partition("#")[2]
        told: list[dict[str, Any]] = []
        async with asyncio.timeout(20), connect(f"{remote.url.replace('http', 'ws')}/ws/overlay") as socket:
            await socket.send(json.dumps({"v": 1, "type": "hello", "token": token, "layers": None}))
            while json.loads(await socket.recv())["type"] != "layers":
                pass
            receipt = await remote.say(f"!bg red harbour {role}", role, name=role)
            while True:
                message = await socket.recv()
                one = json.loads(message) if isinstance(message, str) else wire.decode_picture(message)[0]
                if one.get("layer") != "background" or (one["type"] == "clear" and not told):
                    continue  # of another layer, or what a page is told when it comes
                if "seq" in one and one["type"] != "clear":
                    named = {key: one[key] for key in ("seq", "request_id", "layer")}
                    await socket.send(json.dumps({"v": 1, "type": "painted", **named}))
                told.append(one)
                if one["type"] == until:
                    row = await remote.ended(receipt["id"])
                    assert (row["state"], row["rule"]) == ("refused", "picture")
                    return told


@pytest.mark.parametrize("role", ["broadcaster", "vip"])
async def test_a_blocked_picture_takes_its_previews_off_the_page(judged: Remote, role: str) -> None:
    *previews, last = await seen(judged, role, until="clear")
    assert previews
    assert {one["type"] for one in previews} == {"preview"}, "no picture of a blocked request ever travels"
    assert max(one["width"] for one in previews) <= 32
    assert last["type"] == "clear"
