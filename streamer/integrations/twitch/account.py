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
from streamer.integrations.twitch.tokens import LOGIN_HINT, AccessToken, TokenProvider
from streamer.interfaces import Health, HealthState

log = logging.getLogger(__name__)

CHECK_EVERY_S = 3600.0
RETRY_S = 30.0


class Account:
    """What Twitch plug-ins share. ``needed_scopes`` maps each scope that the config needs to its feature."""

    def __init__(
        self, home: Path, settings: TwitchConfig, needed_scopes: Mapping[str, str], config_file: str = "config.yaml"
    ) -> None:
        self.settings, self.needed_scopes, self.config_file = settings, needed_scopes, config_file
        self.http = client()
        self.tokens = TokenProvider(token_file.path_in(home), settings, self.http, config_file)
        self.helix = Helix(settings, self.tokens, self.http)
        self._health = Health("twitch login", HealthState.CONNECTING)

    def health(self) -> Health:
        """Say who is logged in, and which features are off for lack of a scope."""
        return self._health

    async def run(self) -> None:
        """Check the login now and every hour, as Twitch asks of every application; sooner after a fault."""
        if not self.settings.client_id or not self.needed_scopes:
            self._health = Health("twitch login", HealthState.OFF, "chat is read without a login")
            return
        while True:
            valid = await self.check()
            await asyncio.sleep(CHECK_EVERY_S if valid else RETRY_S)

    async def check(self) -> bool:
        """Check the login once; True when it is valid."""
        try:
            access = await self.tokens.validate()
        except StreamerError as error:
            state = HealthState.FAILED if isinstance(error, LoginError) else HealthState.RECONNECTING
            features = ", ".join(sorted(set(self.needed_scopes.values())))
            self._set_health(state, f"{error}; off until then: {features}")
            return False
        missing = describe_missing(self.needed_scopes, access.scopes)
        detail = f"as {access.login}" + (f"; {missing}" if missing else "")
        self._set_health(HealthState.LIMITED if missing else HealthState.READY, detail)
        return True

    async def access_for(self, scope: str) -> AccessToken | None:
        """Return the access token if it covers a scope; None when the feature is off."""
        try:
            access = await self.tokens.access()
        except (LoginError, ConfigError, StoreError):
            return None  # the health of the login says what is wrong
        return access if scope in access.scopes else None

    async def close(self) -> None:
        """Finish a renewal that is under way and close the connections."""
        await self.tokens.close()
        await self.http.aclose()

    def _set_health(self, state: HealthState, detail: str) -> None:
        health = Health("twitch login", state, detail)
        if health != self._health:
            log.log(logging.INFO if state is HealthState.READY else logging.WARNING, "twitch login: %s", detail)
        self._health = health


def describe_missing(needed_scopes: Mapping[str, str], granted: Collection[str]) -> str:
    """Say which features are off for lack of which scope; empty when none is."""
    lacking = [f"{feature} (lacks {scope})" for scope, feature in needed_scopes.items() if scope not in granted]
    return f"off: {', '.join(lacking)}; {LOGIN_HINT}" if lacking else ""
