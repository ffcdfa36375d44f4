"""What the panel says about the login, and what stops when it does not cover everything."""

from __future__ import annotations

import asyncio
from pathlib import Path

from streamer.integrations.twitch.account import Account, describe_missing
from streamer.integrations.twitch.token_file import path_in
from tests.support.twitch_api import MANAGE, WRITE, TwitchApi


async def test_a_good_login_is_ready_and_names_its_owner(account: Account) -> None:
    assert await account.check()
    assert (account.health().state, account.health().detail) == ("ready", "as harbour")


async def test_a_missing_scope_stops_its_feature_and_no_other(api: TwitchApi, tmp_path: Path) -> None:
    api.log_in(tmp_path, MANAGE)
    account = api.account(tmp_path, {MANAGE: "rewards", WRITE: "replies"})
    assert await account.check()
    assert account.health().state == "limited"
    assert "replies (lacks user:write:chat)" in account.health().detail
    assert "rewards" not in account.health().detail
    assert await account.access_for(WRITE) is None
    assert await account.access_for(MANAGE) is not None
    await account.close()


async def test_a_revoked_login_says_which_features_are_off_and_comes_back_after_a_new_one(
    api: TwitchApi, account: Account, tmp_path: Path
) -> None:
    api.grants.revoke()
    assert not await account.check()
    assert account.health().state == "failed"
    assert "rewards" in account.health().detail
    assert "streamer login twitch" in account.health().detail
    assert await account.access_for(MANAGE) is None
    api.log_in(tmp_path, MANAGE)
    assert await account.check()


async def test_a_twitch_that_is_away_is_waited_for(api: TwitchApi, account: Account) -> None:
    api.faults.inject("GET", "/validate", 500)
    assert not await account.check()
    assert account.health().state == "reconnecting"
    assert await account.check()


async def test_without_anything_that_needs_a_login_twitch_is_not_asked(api: TwitchApi, tmp_path: Path) -> None:
    account = api.account(tmp_path)
    async with asyncio.timeout(5):
        await account.run()
    assert account.health().state == "off"
    assert api.faults.calls == []
    await account.close()


def test_what_is_missing_is_said_in_one_line() -> None:
    assert describe_missing({MANAGE: "rewards"}, {MANAGE}) == ""
    assert describe_missing({MANAGE: "rewards"}, ()) == f"off: rewards (lacks {MANAGE}); run: streamer login twitch"


async def test_a_login_file_that_others_may_read_is_not_used_and_the_panel_says_why(
    api: TwitchApi, tmp_path: Path
) -> None:
    api.log_in(tmp_path, MANAGE)
    path_in(tmp_path).chmod(0o644)
    account = api.account(tmp_path, {MANAGE: "rewards"})
    assert await account.access_for(MANAGE) is None
    assert not await account.check()
    assert "chmod 600" in account.health().detail
    await account.close()
