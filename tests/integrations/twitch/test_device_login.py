"""The device code: requested, polled, and every way in which it can fail."""

from __future__ import annotations

import asyncio
import time

import pytest

from streamer.errors import ConfigError, LoginError, TwitchError
from streamer.integrations.twitch.device_login import poll, request_code
from streamer.integrations.twitch.http import client
from tests.support.twitch_api import MANAGE, WRITE, TwitchApi

SCOPES = (MANAGE, WRITE)


async def test_a_confirmed_code_gives_a_pair_for_just_the_scopes_asked_for(api: TwitchApi) -> None:
    async with client() as http:
        code = await request_code(api.settings, http, SCOPES)
        assert code.code in code.url
        assert code.device_code not in repr(code)
        polling = asyncio.create_task(poll(api.settings, http, SCOPES, code))
        while api.grants.newest.polled < 3:
            await asyncio.sleep(0.01)
        api.grants.approve(api.world.broadcaster)
        pair = await polling
    assert set(pair.scopes) == set(SCOPES)
    assert api.grants.holder(pair.access_token) is not None


async def test_a_refused_code_ends_the_waiting(api: TwitchApi) -> None:
    async with client() as http:
        code = await request_code(api.settings, http, SCOPES)
        api.grants.deny()
        with pytest.raises(LoginError, match="refused in the browser"):
            await poll(api.settings, http, SCOPES, code)


async def test_a_code_that_nobody_confirms_ends_by_the_service_and_by_our_own_clock(api: TwitchApi) -> None:
    async with client() as http:
        code = await request_code(api.settings, http, SCOPES)
        with pytest.raises(LoginError, match="in time"):
            await poll(api.settings, http, SCOPES, code, clock=lambda: time.monotonic() + 1801)
        api.grants.skip(1801)
        with pytest.raises(LoginError, match="no longer valid"):
            await poll(api.settings, http, SCOPES, code)


async def test_faults_between_two_questions_do_not_end_the_login(api: TwitchApi) -> None:
    async with client() as http:
        code = await request_code(api.settings, http, SCOPES)
        api.grants.approve(api.world.broadcaster)
        api.faults.inject("POST", "/token", 503, times=2)
        assert (await poll(api.settings, http, SCOPES, code)).access_token


async def test_without_a_good_client_id_the_guide_is_named(api: TwitchApi) -> None:
    async with client() as http:
        for client_id in ("", "unknown"):
            settings = api.settings.model_copy(update={"client_id": client_id})
            with pytest.raises(ConfigError, match=r"docs/twitch\.md") as caught:
                await request_code(settings, http, SCOPES)
            assert caught.value.key == "twitch.client_id"


async def test_an_id_service_that_is_away_is_said_as_such(api: TwitchApi) -> None:
    settings = api.settings.model_copy(update={"id_url": "http://127.0.0.1:9"})
    async with client() as http:
        with pytest.raises(TwitchError, match="cannot be reached"):
            await request_code(settings, http, SCOPES)
