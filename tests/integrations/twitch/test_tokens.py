"""Tokens are single use: one renewal for everybody, on disk before it is used, and an end that says what to do."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from streamer.errors import LoginError, TwitchError
from streamer.integrations.twitch import token_file
from streamer.integrations.twitch.account import Account
from tests.support.twitch_api import MANAGE, TwitchApi


async def test_a_hundred_callers_whose_token_ran_out_cost_one_renewal(api: TwitchApi, account: Account) -> None:
    stale = (await account.tokens.access()).token
    api.grants.expire_access()
    renewed = await asyncio.gather(*(account.tokens.refresh(stale) for _ in range(100)))
    assert api.grants.refreshes == 1
    assert len({access.token for access in renewed}) == 1
    assert renewed[0].token != stale
    assert api.grants.holder(renewed[0].token) is not None


async def test_the_new_pair_is_on_disk_before_it_is_used(api: TwitchApi, account: Account, tmp_path: Path) -> None:
    stale = (await account.tokens.access()).token
    renewed = await account.tokens.refresh(stale)
    stored = token_file.read(token_file.path_in(tmp_path))
    assert stored is not None
    assert stored.access_token == renewed.token
    assert (stored.user_id, stored.login) == ("1000", "harbour")


async def test_a_crash_between_the_write_and_the_use_costs_nothing(
    api: TwitchApi, account: Account, tmp_path: Path
) -> None:
    stale = (await account.tokens.access()).token
    await account.tokens.refresh(stale)
    again = api.account(tmp_path)
    access = await again.tokens.validate()
    assert (await again.tokens.refresh(access.token)).token != access.token
    await again.close()


async def test_a_crash_before_the_write_needs_a_new_login_and_says_so(api: TwitchApi, tmp_path: Path) -> None:
    lost = api.log_in(tmp_path, MANAGE)
    api.grants.refresh(lost.client_id, lost.refresh_token)
    api.grants.expire_access()
    account = api.account(tmp_path)
    with pytest.raises(LoginError, match="streamer login twitch"):
        await account.tokens.refresh(lost.access_token)
    await account.close()


async def test_whoever_is_cancelled_while_renewing_does_not_lose_the_pair(
    api: TwitchApi, account: Account, tmp_path: Path
) -> None:
    stale = (await account.tokens.access()).token
    asking = asyncio.create_task(account.tokens.refresh(stale))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await account.close()
    stored = token_file.read(token_file.path_in(tmp_path))
    assert stored is not None
    assert api.grants.refreshes == 1
    assert api.grants.holder(stored.access_token) is not None
    assert stored.access_token != stale


async def test_two_programs_on_one_login_renew_it_once(api: TwitchApi, account: Account, tmp_path: Path) -> None:
    other = api.account(tmp_path)
    stale = (await account.tokens.access()).token
    await other.tokens.access()
    api.grants.expire_access()
    first, second = await asyncio.gather(account.tokens.refresh(stale), other.tokens.refresh(stale))
    assert first.token == second.token
    assert api.grants.refreshes == 1
    await other.close()


async def test_a_full_disk_keeps_the_new_pair_for_this_evening(
    api: TwitchApi, account: Account, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stale = (await account.tokens.access()).token
    draft = token_file.path_in(tmp_path).with_suffix(".new")
    draft.mkdir()
    renewed = await account.tokens.refresh(stale)
    assert api.grants.holder(renewed.token) is not None
    assert "could not be stored" in caplog.text
    assert renewed.token not in caplog.text
    second = await account.tokens.refresh(renewed.token)
    draft.rmdir()
    await account.tokens.validate()
    stored = token_file.read(token_file.path_in(tmp_path))
    assert stored is not None
    assert stored.access_token == second.token


async def test_a_revoked_login_asks_twitch_once_and_a_new_login_is_taken_up_by_itself(
    api: TwitchApi, account: Account, tmp_path: Path
) -> None:
    stale = (await account.tokens.access()).token
    api.grants.revoke()
    for _ in range(5):
        with pytest.raises(LoginError, match="streamer login twitch"):
            await account.tokens.refresh(stale)
    with pytest.raises(LoginError):
        await account.tokens.access()
    assert api.faults.count("POST /oauth2/token") == 1
    api.log_in(tmp_path, MANAGE)
    assert (await account.tokens.validate()).login == "harbour"


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_twitch_in_trouble_is_no_reason_to_log_in_again(api: TwitchApi, account: Account, status: int) -> None:
    stale = (await account.tokens.access()).token
    api.faults.inject("POST", "/token", status)
    with pytest.raises(TwitchError) as caught:
        await account.tokens.refresh(stale)
    assert not isinstance(caught.value, LoginError)
    assert (await account.tokens.refresh(stale)).token != stale


async def test_a_confidential_client_id_is_named_as_the_cause(api: TwitchApi, account: Account) -> None:
    api.grants.confidential = True
    with pytest.raises(LoginError, match="as Public"):
        await account.tokens.refresh((await account.tokens.access()).token)


async def test_validation_tells_whose_login_it_is_and_renews_an_expired_one(api: TwitchApi, account: Account) -> None:
    api.grants.expire_access()
    access = await account.tokens.validate()
    assert (access.user_id, access.login, access.scopes) == ("1000", "harbour", frozenset({MANAGE}))


async def test_nobody_logged_in_and_a_login_of_another_application_are_two_sentences(
    api: TwitchApi, tmp_path: Path
) -> None:
    account = api.account(tmp_path)
    with pytest.raises(LoginError, match="nobody is logged in"):
        await account.tokens.access()
    await account.close()
    api.log_in(tmp_path)
    other = Account(tmp_path, api.settings.model_copy(update={"client_id": "another"}), {})
    with pytest.raises(LoginError, match="belongs to another"):
        await other.tokens.access()
    await other.close()
