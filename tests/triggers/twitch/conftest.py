"""The stand-in for Twitch, one for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.twitch_standin.standin import Standin


@pytest.fixture
async def twitch() -> AsyncIterator[Standin]:
    async with Standin() as standin:
        yield standin
