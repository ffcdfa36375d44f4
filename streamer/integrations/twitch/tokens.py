"""Keeps the login valid: one renewal at a time, stored before it is used."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
from filelock import AsyncFileLock

from streamer.errors import LoginError, StoreError
from streamer.integrations.twitch import token_file
from streamer.integrations.twitch.config import TwitchConfig
from streamer.integrations.twitch.http import body_of, call, error_of
from streamer.integrations.twitch.token_file import TokenPair

log = logging.getLogger(__name__)

LOGIN_HINT = "run: streamer login twitch"
REJECTED = (400, 401, 403)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a call to Twitch needs; the repr, and so the log, shows no token."""

    token: str = field(repr=False)
    user_id: str
    login: str
    scopes: frozenset[str]


class TokenProvider:
    """The login of one account, shared by every plug-in, and with other processes through its file."""

    def __init__(
        self, path: Path, settings: TwitchConfig, http: httpx.AsyncClient, config_file: str = "config.yaml"
    ) -> None:
        self._path, self._settings, self._http, self._config_file = path, settings, http, config_file
        self._pair: TokenPair | None = None
        self._unsaved = False
        self._rejection = ""
        self._renewal: asyncio.Task[AccessToken] | None = None

    async def access(self) -> AccessToken:
        """Return the access token; LoginError when nobody is logged in or Twitch has ended the login."""
        if self._pair is None:
            self._pair = await asyncio.to_thread(token_file.read, self._path)
        return _access(self._checked(self._pair))

    async def refresh(self, stale: str) -> AccessToken:
        """Replace an access token that Twitch rejected; concurrent callers share one renewal."""
        if self._renewal is None or self._renewal.done():
            if self._pair is not None and self._pair.access_token != stale and not self._rejection:
                return _access(self._pair)
            self._renewal = asyncio.create_task(self._renew(stale), name="twitch-renewal")
        # Shielded: the caller may be cancelled, but a pair that Twitch has sent must reach the disk.
        return await asyncio.shield(self._renewal)

    async def validate(self) -> AccessToken:
        """Ask Twitch whose token it is and what it covers; renew it when it has expired."""
        access = await self.access()
        response = await self._request_validation(access.token)
        if response.status_code == 401:
            access = await self.refresh(access.token)
            response = await self._request_validation(access.token)
        if response.status_code == 401:
            raise self._login_ended(access.token)
        if not response.is_success:
            raise error_of(response)
        body, pair = body_of(response), self._checked(self._pair)
        validated = replace(
            pair,
            user_id=str(body.get("user_id", "")),
            login=str(body.get("login", "")),
            scopes=tuple(body.get("scopes") or ()),
        )
        if pair.access_token == access.token and (validated != pair or self._unsaved):
            await self.store(validated)
        return _access(self._checked(self._pair))

    async def store(self, pair: TokenPair) -> None:
        """Store a pair, then use it; after a failed write it is used until the program ends."""
        try:
            await asyncio.to_thread(token_file.write, self._path, pair)
            self._unsaved = False
        except StoreError as error:
            self._unsaved = True
            log.error("twitch: the renewed login could not be stored (%s); after a restart, %s", error, LOGIN_HINT)
        self._pair, self._rejection = pair, ""

    async def close(self) -> None:
        """Wait up to five seconds for a renewal that is under way to reach the disk."""
        if self._renewal is not None and not self._renewal.done():
            await asyncio.wait([self._renewal], timeout=5)

    async def _renew(self, stale: str) -> AccessToken:
        # Another process, or `streamer login`, may have replaced the pair: reusing a refresh token ends the login.
        async with AsyncFileLock(self._lock_path()):
            stored = await asyncio.to_thread(token_file.read, self._path)
            if not self._unsaved and stored is not None and stored != self._pair:
                self._pair, self._rejection = stored, ""
            pair = self._checked(self._pair)
            if pair.access_token != stale:
                return _access(pair)
            await self.store(await self._request_renewal(pair))
        return _access(self._checked(self._pair))

    async def _request_renewal(self, pair: TokenPair) -> TokenPair:
        form = {"client_id": pair.client_id, "grant_type": "refresh_token", "refresh_token": pair.refresh_token}
        response = await call(self._http, "POST", f"{self._settings.id_url}/token", form=form)
        if response.status_code in REJECTED:
            raise self._login_ended(pair.access_token, str(body_of(response).get("message", "")))
        body = body_of(response)
        if not response.is_success or not body.get("access_token"):
            raise error_of(response)
        return with_new_tokens(pair, body)

    def _lock_path(self) -> Path:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._path.with_suffix(".lock")

    async def _request_validation(self, token: str) -> httpx.Response:
        headers = {"authorization": f"OAuth {token}"}
        return await call(self._http, "GET", f"{self._settings.id_url}/validate", headers=headers)

    def _login_ended(self, token: str, problem: str = "") -> LoginError:
        if self._pair is not None and self._pair.access_token == token:
            secret = "missing client secret" in problem
            fix = "register the application as Public, then " if secret else ""
            self._rejection = (
                f"Twitch no longer accepts the login{f' ({problem})' if problem else ''}; {fix}{LOGIN_HINT}"
            )
        return LoginError(self._rejection or f"Twitch no longer accepts the login; {LOGIN_HINT}")

    def _checked(self, pair: TokenPair | None) -> TokenPair:
        if self._rejection:
            # Meanwhile somebody may have logged in again, in another process.
            if (stored := token_file.read(self._path)) is None or stored == pair:
                raise LoginError(self._rejection)
            self._pair, self._rejection, pair = stored, "", stored
        if not self._settings.client_id:
            raise LoginError(f"twitch.client_id is not set in {self._config_file}, so nobody can log in")
        if pair is None:
            raise LoginError(f"nobody is logged in; {LOGIN_HINT}")
        if pair.client_id != self._settings.client_id:
            raise LoginError(f"the login belongs to another twitch.client_id; {LOGIN_HINT}")
        return pair


def with_new_tokens(pair: TokenPair, body: dict[str, object]) -> TokenPair:
    """Return the pair with a response's new tokens; a public client's refresh token is single use and comes anew."""
    scopes = body.get("scope")
    return replace(
        pair,
        access_token=str(body["access_token"]),
        refresh_token=str(body.get("refresh_token") or pair.refresh_token),
        scopes=tuple(scopes) if isinstance(scopes, list) else pair.scopes,
    )


def _access(pair: TokenPair) -> AccessToken:
    return AccessToken(pair.access_token, pair.user_id, pair.login, frozenset(pair.scopes))
