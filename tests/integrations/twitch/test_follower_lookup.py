"""Who follows is looked up once, and forgotten in time."""

from pathlib import Path

import httpx

from streamer.integrations.twitch.config import TwitchConfig
from streamer.integrations.twitch.follower_lookup import FOLLOWER_TTL_S, NON_FOLLOWER_TTL_S, FollowerLookup
from streamer.integrations.twitch.helix import Helix
from streamer.integrations.twitch.tokens import TokenProvider


async def test_followers_are_remembered_longer_than_strangers(tmp_path: Path) -> None:
    async with httpx.AsyncClient() as http:
        settings = TwitchConfig()
        followers = FollowerLookup(Helix(settings, TokenProvider(tmp_path / "none", settings, http), http))
        followers.add("7", 0.0)
        assert followers.follows("7", FOLLOWER_TTL_S) is True
        assert followers.follows("7", FOLLOWER_TTL_S + 1) is None
        assert followers.follows("8", 0.0) is None
        assert NON_FOLLOWER_TTL_S < FOLLOWER_TTL_S
