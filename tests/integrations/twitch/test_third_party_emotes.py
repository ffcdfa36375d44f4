"""Names of emotes are taken out of what is typed on Twitch, when their lists can be had, and nothing else is."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from streamer.integrations.twitch.config import EmoteOptions
from streamer.integrations.twitch.http import client
from streamer.integrations.twitch.third_party_emotes import ThirdPartyEmotes
from streamer.types import Actor, Role, Trigger

LISTS: dict[str, Any] = {
    "/7/emote-sets/global": {"emotes": [{"name": "EZ"}, {"name": "cat"}]},
    "/7/users/twitch/1000": {"emote_set": {"emotes": [{"name": "monkaS"}]}},
    "/b/cached/emotes/global": [{"code": "KKona"}],
    "/b/cached/users/twitch/1000": {"channelEmotes": [{"code": "catJAM"}], "sharedEmotes": [{"code": "D:"}]},
    "/f/set/global": {"sets": {"3": {"emoticons": [{"name": "ZrehplaR"}]}}},
    "/f/room/harbour": {"room": {"twitch_id": 1000}, "sets": {"9": {"emoticons": [{"name": "OMEGALUL"}]}}},
}
TYPED = Trigger("t", "twitch", "!bg monkaS a cat OMEGALUL at sea catJAM D:", Actor("1", "Ann", Role.VIEWER), 1.0)


@asynccontextmanager
async def services(lists: dict[str, Any]) -> AsyncIterator[ThirdPartyEmotes]:
    async def answer(request: Request) -> Response:
        if request.url.path not in lists:
            return JSONResponse({"error": "not found"}, 404)
        body = lists[request.url.path]
        return Response(body, 500) if isinstance(body, str) else JSONResponse(body)

    server = uvicorn.Server(uvicorn.Config(Starlette(routes=[Route("/{path:path}", answer)]), log_level="error"))
    listening = socket.create_server(("127.0.0.1", 0))
    base = f"http://127.0.0.1:{listening.getsockname()[1]}"
    serving = asyncio.create_task(server.serve([listening]))
    async with client() as http:
        urls = EmoteOptions(seventv_url=f"{base}/7", bttv_url=f"{base}/b", ffz_url=f"{base}/f")
        emotes = ThirdPartyEmotes(urls, http, "harbour")
        while not server.started:
            await asyncio.sleep(0.01)
        yield emotes
    server.should_exit = True
    await serving


async def test_names_of_all_three_services_go_and_words_stay() -> None:
    async with services(LISTS) as emotes:
        assert emotes.clean(TYPED) is TYPED
        assert await emotes.load()
        assert {"EZ", "KKona", "ZrehplaR", "monkaS", "catJAM", "D:", "OMEGALUL"} == emotes.names
        assert emotes.clean(TYPED).text == "!bg a cat at sea"
        assert emotes.clean(replace(TYPED, text="!bg castle")) == replace(TYPED, text="!bg castle")


async def test_what_was_typed_elsewhere_is_left_alone() -> None:
    async with services(LISTS) as emotes:
        await emotes.load()
        panel = replace(TYPED, source="http")
        assert emotes.clean(panel) is panel


async def test_a_channel_that_is_known_nowhere_has_the_global_lists() -> None:
    async with services({path: body for path, body in LISTS.items() if "global" in path}) as emotes:
        assert await emotes.load()
        assert emotes.names == {"EZ", "KKona", "ZrehplaR"}


@pytest.mark.parametrize("broken", ["<html>", {"sets": {"1": {}}}, 7])
async def test_a_list_that_makes_no_sense_harms_no_other_and_keeps_what_was_known(broken: object) -> None:
    lists = {**LISTS, "/f/set/global": broken, "/b/cached/emotes/global": broken}
    async with services(LISTS) as emotes:
        await emotes.load()
        known = emotes.names
    async with services(lists) as emotes:
        emotes.names = known
        await emotes.load()
        assert known == emotes.names


async def test_services_that_are_away_change_nothing() -> None:
    async with client() as http:
        away = EmoteOptions(
            seventv_url="http://127.0.0.1:9", bttv_url="http://127.0.0.1:9", ffz_url="http://127.0.0.1:9"
        )
        emotes = ThirdPartyEmotes(away, http, "harbour")
        assert not await emotes.load()
        assert emotes.clean(TYPED) is TYPED


async def test_without_a_channel_or_with_the_switch_off_nobody_is_asked() -> None:
    async with client() as http:
        async with asyncio.timeout(5):
            await ThirdPartyEmotes(EmoteOptions(), http, "").run()
            await ThirdPartyEmotes(EmoteOptions(strip=False), http, "harbour").run()
