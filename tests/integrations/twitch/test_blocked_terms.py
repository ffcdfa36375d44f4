"""The channel's blocked terms: all pages of them, kept over faults, and never in a log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from streamer.integrations.twitch.blocked_terms import SCOPE, BlockedTerms
from streamer.integrations.twitch.subscriptions import BLOCKED_TERMS as SCOPES
from tests.support.twitch_api import TwitchApi


def taking(taken: list[Collection[str]]) -> Callable[[Collection[str]], int]:
    """Note every list that is handed over."""

    def take(terms: Collection[str]) -> int:
        taken.append(terms)
        return len(terms)

    return take


@pytest.mark.parametrize("count", [0, 1, 250])
async def test_every_page_of_the_list_is_handed_over_and_nothing_of_it_logged(
    api: TwitchApi, tmp_path: Path, caplog: pytest.LogCaptureFixture, count: int
) -> None:
    caplog.set_level(logging.DEBUG, "streamer")
    api.world.blocked_terms = [f"banana{number}" for number in range(count)]
    api.log_in(tmp_path, SCOPE)
    account = api.account(tmp_path, SCOPES)
    taken: list[Collection[str]] = []
    terms = BlockedTerms(account, taking(taken))
    assert await terms.fetch()
    assert taken == [api.world.blocked_terms]
    assert "banana" not in caplog.text
    await account.close()


async def test_a_fault_or_a_missing_scope_takes_nothing_away(api: TwitchApi, tmp_path: Path) -> None:
    api.log_in(tmp_path, "user:read:chat")
    account = api.account(tmp_path, SCOPES)
    taken: list[Collection[str]] = []
    terms = BlockedTerms(account, taking(taken))
    assert not await terms.fetch()
    assert api.faults.calls == []
    await account.close()
    api.log_in(tmp_path, SCOPE)
    account = api.account(tmp_path, SCOPES)
    api.faults.inject("GET", "/blocked_terms", 403)
    assert not await BlockedTerms(account, len).fetch()
    assert taken == []
    await account.close()


async def test_without_a_login_that_is_wanted_it_ends_at_once(api: TwitchApi, tmp_path: Path) -> None:
    account = api.account(tmp_path)
    async with asyncio.timeout(5):
        await BlockedTerms(account, len).run()
    await account.close()
