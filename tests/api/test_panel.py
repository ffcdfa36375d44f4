"""The panel's page and socket."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.support.real_program import OPERATOR, Remote


def socket_of(program: Remote) -> str:
    return program.url.replace("http", "ws") + "/ws/panel"


async def test_the_page_is_served_with_a_strict_policy(program: Remote) -> None:
    answer = await program.client.get("/")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    for name in ("panel.js", "panel.css"):
        assert name in answer.text
        assert (await program.client.get(f"/panel/{name}")).status_code == 200
    assert (await program.client.get("/shared/socket.js")).headers["content-type"].startswith("text/javascript")
    for path in ("/shared/main.js", "/panel/index.html", "/panel/package.json"):
        assert (await program.client.get(path)).status_code == 404


async def test_the_socket_repeats_the_status_so_that_silence_means_a_dead_connection(program: Remote) -> None:
    async with connect(socket_of(program)) as socket:
        await socket.send(json.dumps({"token": OPERATOR}))
        first = json.loads(await asyncio.wait_for(socket.recv(), 10))
        # The page gives a silent connection up after 15 s.
        again = json.loads(await asyncio.wait_for(socket.recv(), 14))
        assert again["on_air"] == first["on_air"]


async def test_the_socket_sends_the_state_and_each_change(program: Remote) -> None:
    async with connect(socket_of(program)) as socket:
        await socket.send(json.dumps({"token": OPERATOR}))
        first = json.loads(await asyncio.wait_for(socket.recv(), 10))
        assert (first["paused"], first["on_air"]["background"]) == (False, None)
        request_id = await program.shown("!bg harbour")
        async with asyncio.timeout(10):
            while json.loads(await socket.recv())["on_air"]["background"] != request_id:
                pass


@pytest.mark.parametrize("first", ["", "{}", "[]", '{"token": 5}', '{"token": "wrong"}', "not json", b"\x00\x01",
                                   '{"token": "\\ud800"}', "[" * 4_000])  # fmt: skip
async def test_the_socket_closes_without_a_good_token(program: Remote, first: str | bytes) -> None:
    async with connect(socket_of(program)) as socket:
        await socket.send(first)
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


async def test_the_overlays_token_does_not_open_the_panel(program: Remote) -> None:
    async with connect(socket_of(program)) as socket:
        await socket.send(json.dumps({"token": (program.home / "secrets" / "overlay").read_text()}))
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 10)
