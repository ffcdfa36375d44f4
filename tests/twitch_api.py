"""The Twitch stand-in, seen from the program: its settings for it, and an account that is logged in there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from streamer.twitch import pair
from streamer.twitch.account import Account
from streamer.twitch.emotes import Options as Emotes
from streamer.twitch.pair import Pair
from streamer.twitch.settings import Settings
from tests.twitch_standin.standin import Standin

MANAGE = "channel:manage:redemptions"
WRITE = "user:write:chat"


class TwitchApi(Standin):
    """A stand-in that people log in to without waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.grants.interval_s = 0

    @property
    def settings(self) -> Settings:
        """Return the program's settings for this Twitch."""
        return Settings(
            client_id=self.client_id, id_url=self.id_url, helix_url=self.helix_url, eventsub_url=self.eventsub_url
        )

    @property
    def config(self) -> str:
        """Return the same as a block of config.yaml."""
        quiet = self.settings.model_copy(update={"emotes": Emotes(strip=False)})
        return f"twitch: {quiet.model_dump_json()}\n"

    def log_in(self, home: Path, *scopes: str) -> Pair:
        """Leave a login of the broadcaster in a state directory."""
        issued = self.grants.issue(self.channel, scopes)
        login = Pair(self.client_id, issued.access, issued.refresh, issued.scopes, self.channel.id, self.channel.login)
        pair.write(pair.path_in(home), login)
        return login

    def account(self, home: Path, wanted: Mapping[str, str] | None = None) -> Account:
        """Build the program's account on a state directory; close it."""
        return Account(home, self.settings, wanted or {})
