"""The stand-in for Twitch, and an account that is logged in there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamer.integrations.twitch.account import Account
from tests.support.reward_shop import live, shop
from tests.support.twitch_api import MANAGE, TwitchApi
from tests.support.twitch_fixtures import api, twitch

__all__ = ["account", "api", "live", "shop", "twitch"]


@pytest.fixture
async def account(api: TwitchApi, tmp_path: Path) -> AsyncIterator[Account]:
    api.log_in(tmp_path, MANAGE)
    logged_in = api.account(tmp_path, {MANAGE: "rewards"})
    yield logged_in
    await logged_in.close()
