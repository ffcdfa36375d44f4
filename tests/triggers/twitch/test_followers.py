"""Who follows is asked once, and forgotten in time."""

from pathlib import Path

import httpx

from streamer.triggers.twitch.followers import KEPT_S, STRANGER_S, Followers
from streamer.twitch.helix import Helix
from streamer.twitch.settings import Settings
from streamer.twitch.tokens import Tokens


async def test_followers_are_remembered_longer_than_strangers(tmp_path: Path) -> None:
    async with httpx.AsyncClient() as http:
        settings = Settings()
        followers = Followers(Helix(settings, Tokens(tmp_path / "none", settings, http), http))
        followers.saw("7", 0.0)
        assert followers.follows("7", KEPT_S) is True
        assert followers.follows("7", KEPT_S + 1) is None
        assert followers.follows("8", 0.0) is None
        assert STRANGER_S < KEPT_S
