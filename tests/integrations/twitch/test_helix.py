"""Calls to the API: one renewal on 401, silence while the bucket is empty, and nothing done twice."""

from __future__ import annotations

import time

import httpx
import pytest

from streamer.errors import LoginError, MissingScope, TwitchError
from streamer.integrations.twitch.account import Account
from streamer.integrations.twitch.helix import Helix, pause_of
from streamer.integrations.twitch.http import body_of, error_of
from tests.support.twitch_api import TwitchApi

REWARDS = "channel_points/custom_rewards"
MINE = {"broadcaster_id": "1000"}


@pytest.fixture
def quick(account: Account) -> Helix:
    return Helix(account.settings, account.tokens, account.http, pauses_s=(0.01, 0.01))


async def test_a_token_that_ran_out_is_renewed_and_the_call_made_again(api: TwitchApi, quick: Helix) -> None:
    api.grants.expire_access()
    assert (await quick.get("users"))["data"][0]["login"] == "harbour"
    assert api.grants.refreshes == 1


async def test_an_api_that_refuses_every_token_is_asked_twice_and_no_more(api: TwitchApi, quick: Helix) -> None:
    api.faults.inject("GET", "/users", 401, times=10)
    with pytest.raises(TwitchError, match="401"):
        await quick.get("users")
    assert api.faults.count("GET /helix/users") == 2


async def test_a_missing_scope_costs_no_renewal(api: TwitchApi, quick: Helix) -> None:
    with pytest.raises(MissingScope, match="user:write:chat"):
        await quick.post("chat/messages", json={"broadcaster_id": "1000", "sender_id": "1000", "message": "hi"})
    assert api.grants.refreshes == 0


async def test_short_faults_are_retried_and_long_ones_raised(api: TwitchApi, quick: Helix) -> None:
    api.faults.inject("GET", "/users", 500, times=2)
    assert (await quick.get("users"))["data"]
    api.faults.inject("GET", "/users", 503, times=3)
    with pytest.raises(TwitchError) as caught:
        await quick.get("users")
    assert caught.value.status == 503


async def test_a_post_that_broke_off_is_not_repeated_since_it_may_have_been_done(api: TwitchApi, quick: Helix) -> None:
    api.faults.inject("POST", REWARDS, 500, done=True)
    with pytest.raises(TwitchError):
        await quick.post(REWARDS, MINE, {"title": "Draw", "cost": 5})
    assert len(api.rewards.rewards) == 1


async def test_too_many_calls_wait_for_the_moment_that_twitch_names(api: TwitchApi, quick: Helix) -> None:
    reset = str(time.time() + 0.4)
    api.faults.inject("POST", REWARDS, 429, headers={"Ratelimit-Reset": reset, "Ratelimit-Remaining": "0"})
    began = time.monotonic()
    await quick.post(REWARDS, MINE, {"title": "Draw", "cost": 5})
    assert time.monotonic() - began > 0.3
    assert len(api.rewards.rewards) == 1


@pytest.mark.parametrize(
    ("headers", "status", "seconds"),
    [
        ({"ratelimit-remaining": "3", "ratelimit-reset": "130"}, 200, 0.0),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "130"}, 200, 30.0),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "99999"}, 429, 60.0),
        ({"ratelimit-reset": "50"}, 429, 0.1),
        ({}, 429, 1.0),
        ({"ratelimit-reset": "soon"}, 429, 1.0),
    ],
)
def test_the_pause_is_read_from_the_rate_headers(headers: dict[str, str], status: int, seconds: float) -> None:
    assert pause_of(httpx.Response(status, headers=headers), 100.0) == seconds


async def test_a_list_is_read_to_its_last_page(api: TwitchApi, quick: Helix) -> None:
    reward = api.rewards.add("Draw", client_id=api.settings.client_id)
    for number in range(7):
        api.rewards.redeem(reward, api.world.user(f"viewer{number}"))
    params = {**MINE, "reward_id": reward.id, "status": "UNFULFILLED", "first": "3"}
    assert len([item async for item in quick.pages(f"{REWARDS}/redemptions", params)]) == 7


async def test_an_ended_login_and_an_unreachable_api_are_told_apart(api: TwitchApi, account: Account) -> None:
    away = account.settings.model_copy(update={"helix_url": "http://127.0.0.1:9"})
    with pytest.raises(TwitchError, match="cannot be reached"):
        await Helix(away, account.tokens, account.http, pauses_s=()).get("users")
    api.grants.revoke()
    with pytest.raises(LoginError):
        await account.helix.get("users")


def test_a_proxy_page_instead_of_json_is_a_fault_and_no_crash() -> None:
    page = httpx.Response(502, text="<html>Bad gateway</html>")
    assert body_of(page) == {}
    assert str(error_of(page)) == "Twitch: Bad Gateway (502)"
