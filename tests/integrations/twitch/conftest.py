"""The stand-in for Twitch, one for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamer.integrations.twitch.account import Account
from tests.support.twitch_api import MANAGE, TwitchApi
from tests.support.twitch_standin.standin import Standin


@pytest.fixture
async def twitch() -> AsyncIterator[Standin]:
    async with Standin() as standin:
        yield standin


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
