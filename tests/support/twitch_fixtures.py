"""Fixtures with a stand-in for Twitch, one for each test; a conftest imports those that its folder needs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.twitch_api import TwitchApi
from tests.support.twitch_standin.standin import Standin


@pytest.fixture
async def twitch() -> AsyncIterator[Standin]:
    """Run a stand-in."""
    async with Standin() as standin:
        yield standin


@pytest.fixture
async def api() -> AsyncIterator[TwitchApi]:
    """Run a stand-in that people log in to without waiting."""
    async with TwitchApi() as running:
        yield running
