"""The account that is logged in: its tokens, the API, and what each feature still lacks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from pathlib import Path

from streamer.errors import ConfigError, LoginError, StoreError, StreamerError
from streamer.integrations.twitch import token_file
from streamer.integrations.twitch.config import TwitchConfig
from streamer.integrations.twitch.helix import Helix
from streamer.integrations.twitch.http import client
from streamer.integrations.twitch.third_party_emotes import ThirdPartyEmotes
from streamer.integrations.twitch.tokens import AGAIN, AccessToken, TokenProvider
from streamer.interfaces import Health, HealthState

log = logging.getLogger(__name__)

EVERY_S = 3600.0
SOON_S = 30.0


class Account:
    """What Twitch plug-ins share. ``wanted`` names the feature behind each scope that the config asks for."""

    def __init__(self, home: Path, settings: TwitchConfig, wanted: Mapping[str, str]) -> None:
        self.settings, self.wanted = settings, wanted
        self.http = client()
        self.tokens = TokenProvider(token_file.path_in(home), settings, self.http)
        self.helix = Helix(settings, self.tokens, self.http)
        self.emotes = ThirdPartyEmotes(settings.emotes, self.http)
        self._health = Health("twitch login", HealthState.CONNECTING)

    def health(self) -> Health:
        """Say who is logged in and what does not work for want of a scope."""
        return self._health

    async def run(self) -> None:
        """Check the login now and every hour, as Twitch asks of every application; sooner after a fault."""
        if not self.settings.client_id or not self.wanted:
            self._health = Health("twitch login", HealthState.OFF, "chat is read without a login")
            return
        while True:
            good = await self.check()
            await asyncio.sleep(EVERY_S if good else SOON_S)

    async def check(self) -> bool:
        """Look at the login once; tell whether it is good."""
        try:
            access = await self.tokens.validate()
        except StreamerError as error:
            state = HealthState.FAILED if isinstance(error, LoginError) else HealthState.RECONNECTING
            self._note(Health("twitch login", state, f"{error}; off until then: {', '.join(self._features())}"))
            return False
        gone = missing(self.wanted, access.scopes)
        detail = f"as {access.login}" + (f"; {gone}" if gone else "")
        self._note(Health("twitch login", HealthState.LIMITED if gone else HealthState.READY, detail))
        return True

    async def may(self, scope: str) -> AccessToken | None:
        """Return the access when it covers a scope; None when that feature is off."""
        try:
            access = await self.tokens.access()
        except (LoginError, ConfigError, StoreError):
            return None  # what is wrong with it stands in the health of the login
        return access if scope in access.scopes else None

    async def close(self) -> None:
        """End what is under way and let go of the connections."""
        await self.tokens.close()
        await self.http.aclose()

    def _features(self) -> list[str]:
        return sorted(set(self.wanted.values()))

    def _note(self, health: Health) -> None:
        if health != self._health:
            log.log(
                logging.INFO if health.state is HealthState.READY else logging.WARNING,
                "twitch login: %s",
                health.detail,
            )
        self._health = health


def missing(wanted: Mapping[str, str], scopes: Collection[str]) -> str:
    """Say which features stop for want of which scope; empty when none does."""
    lacking = [f"{feature} (lacks {scope})" for scope, feature in wanted.items() if scope not in scopes]
    return f"off: {', '.join(lacking)}; {AGAIN}" if lacking else ""
