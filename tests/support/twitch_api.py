"""The Twitch stand-in, seen from the program: its settings for it, and an account that is logged in there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from streamer.integrations.twitch import token_file
from streamer.integrations.twitch.account import Account
from streamer.integrations.twitch.config import EmoteOptions, TwitchConfig
from streamer.integrations.twitch.token_file import TokenPair
from tests.support.twitch_standin.standin import Standin

MANAGE = "channel:manage:redemptions"
WRITE = "user:write:chat"


class TwitchApi(Standin):
    """A stand-in that people log in to without waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.grants.interval_s = 0

    @property
    def settings(self) -> TwitchConfig:
        """Return the program's settings for this Twitch."""
        return TwitchConfig(
            client_id=self.client_id, id_url=self.id_url, helix_url=self.helix_url, eventsub_url=self.eventsub_url
        )

    @property
    def config(self) -> str:
        """Return the same as a block of config.yaml."""
        quiet = self.settings.model_copy(update={"emotes": EmoteOptions(strip=False)})
        return f"twitch: {quiet.model_dump_json()}\n"

    def log_in(self, home: Path, *scopes: str) -> TokenPair:
        """Leave a login of the broadcaster in a state directory."""
        issued = self.grants.issue(self.channel, scopes)
        login = TokenPair(
            self.client_id, issued.access, issued.refresh, issued.scopes, self.channel.id, self.channel.login
        )
        token_file.write(token_file.path_in(home), login)
        return login

    def account(self, home: Path, needed_scopes: Mapping[str, str] | None = None) -> Account:
        """Build the program's account on a state directory; close it."""
        return Account(home, self.settings, needed_scopes or {})
