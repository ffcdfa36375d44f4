"""A Twitch on a real socket, and the account of a program that is logged in there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamer.twitch.account import Account
from tests.twitch_api import MANAGE, TwitchApi


@pytest.fixture
async def api() -> AsyncIterator[TwitchApi]:
    async with TwitchApi() as running:
        yield running


@pytest.fixture
async def account(api: TwitchApi, tmp_path: Path) -> AsyncIterator[Account]:
    api.log_in(tmp_path, MANAGE)
    logged_in = api.account(tmp_path, {MANAGE: "rewards"})
    yield logged_in
    await logged_in.close()
