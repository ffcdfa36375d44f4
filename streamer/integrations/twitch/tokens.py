"""Keeps the login usable: one renewal at a time, written down before it is used, checked every hour."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
from filelock import AsyncFileLock

from streamer.errors import LoginError, StoreError
from streamer.integrations.twitch import token_file as file
from streamer.integrations.twitch.config import TwitchConfig
from streamer.integrations.twitch.http import body_of, call, fault
from streamer.integrations.twitch.token_file import TokenPair

log = logging.getLogger(__name__)

AGAIN = "run: streamer login twitch"
REFUSED = (400, 401, 403)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a call to Twitch needs; the token is in no repr, and so in no log."""

    token: str = field(repr=False)
    user_id: str
    login: str
    scopes: frozenset[str]


class TokenProvider:
    """The login of one account, shared by every plug-in, and by other processes through its file."""

    def __init__(self, path: Path, settings: TwitchConfig, http: httpx.AsyncClient) -> None:
        self._path, self._settings, self._http = path, settings, http
        self._pair: TokenPair | None = None
        self._unsaved = False
        self._refused = ""
        self._renewing: asyncio.Task[AccessToken] | None = None

    async def access(self) -> AccessToken:
        """Return the access token; LoginError when nobody is logged in or Twitch has ended the login."""
        if self._pair is None:
            self._pair = await asyncio.to_thread(file.read, self._path)
        return _access(self._checked(self._pair))

    async def refresh(self, stale: str) -> AccessToken:
        """Replace an access token that Twitch refused; whoever asks meanwhile gets the same new one."""
        if self._renewing is None or self._renewing.done():
            if self._pair is not None and self._pair.access_token != stale and not self._refused:
                return _access(self._pair)
            self._renewing = asyncio.create_task(self._renew(stale), name="twitch-renewal")
        # Shielded: whoever asked may be cancelled, but a pair that Twitch has sent must reach the disk.
        return await asyncio.shield(self._renewing)

    async def validate(self) -> AccessToken:
        """Ask Twitch whose token it is and what it may do; renew it when it has expired."""
        access = await self.access()
        answer = await self._validated(access.token)
        if answer.status_code == 401:
            access = await self.refresh(access.token)
            answer = await self._validated(access.token)
        if answer.status_code == 401:
            raise self._ended(access.token)
        if not answer.is_success:
            raise fault(answer)
        body, pair = body_of(answer), self._checked(self._pair)
        known = replace(
            pair,
            user_id=str(body.get("user_id", "")),
            login=str(body.get("login", "")),
            scopes=tuple(body.get("scopes") or ()),
        )
        if pair.access_token == access.token and (known != pair or self._unsaved):
            await self.keep(known)
        return _access(self._checked(self._pair))

    async def keep(self, pair: TokenPair) -> None:
        """Write a pair down, then use it; a full disk costs the next start, not this evening."""
        try:
            await asyncio.to_thread(file.write, self._path, pair)
            self._unsaved = False
        except StoreError as error:
            self._unsaved = True
            log.error("twitch: the renewed login is not written down, and after a restart %s: %s", AGAIN, error)
        self._pair, self._refused = pair, ""

    async def close(self) -> None:
        """Let a renewal that is under way reach the disk."""
        if self._renewing is not None and not self._renewing.done():
            await asyncio.wait([self._renewing], timeout=5)

    async def _renew(self, stale: str) -> AccessToken:
        # A second program, or `streamer login`, may have replaced the pair: a used refresh token ends the login.
        async with AsyncFileLock(self._lock_path()):
            kept = await asyncio.to_thread(file.read, self._path)
            if not self._unsaved and kept is not None and kept != self._pair:
                self._pair, self._refused = kept, ""
            pair = self._checked(self._pair)
            if pair.access_token != stale:
                return _access(pair)
            await self.keep(await self._renewed(pair))
        return _access(self._checked(self._pair))

    async def _renewed(self, pair: TokenPair) -> TokenPair:
        form = {"client_id": pair.client_id, "grant_type": "refresh_token", "refresh_token": pair.refresh_token}
        answer = await call(self._http, "POST", f"{self._settings.id_url}/token", form=form)
        if answer.status_code in REFUSED:
            raise self._ended(pair.access_token, str(body_of(answer).get("message", "")))
        body = body_of(answer)
        if not answer.is_success or not body.get("access_token"):
            raise fault(answer)
        return renewed(pair, body)

    def _lock_path(self) -> Path:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._path.with_suffix(".lock")

    async def _validated(self, token: str) -> httpx.Response:
        headers = {"authorization": f"OAuth {token}"}
        return await call(self._http, "GET", f"{self._settings.id_url}/validate", headers=headers)

    def _ended(self, token: str, said: str = "") -> LoginError:
        if self._pair is not None and self._pair.access_token == token:
            secret = "missing client secret" in said
            fix = "register the application as Public, then " if secret else ""
            self._refused = f"Twitch no longer accepts the login{f' ({said})' if said else ''}; {fix}{AGAIN}"
        return LoginError(self._refused or f"Twitch no longer accepts the login; {AGAIN}")

    def _checked(self, pair: TokenPair | None) -> TokenPair:
        if self._refused:
            # A new login may have been made meanwhile, in another window.
            if (kept := file.read(self._path)) is None or kept == pair:
                raise LoginError(self._refused)
            self._pair, self._refused, pair = kept, "", kept
        if not self._settings.client_id:
            raise LoginError("no twitch.client_id is set in config.yaml, so nobody can be logged in")
        if pair is None:
            raise LoginError(f"nobody is logged in; {AGAIN}")
        if pair.client_id != self._settings.client_id:
            raise LoginError(f"the login was made for another twitch.client_id; {AGAIN}")
        return pair


def renewed(pair: TokenPair, body: dict[str, object]) -> TokenPair:
    """Take the new tokens over; a public client's refresh token is single use, so the answer brings another one."""
    scopes = body.get("scope")
    return replace(
        pair,
        access_token=str(body["access_token"]),
        refresh_token=str(body.get("refresh_token") or pair.refresh_token),
        scopes=tuple(scopes) if isinstance(scopes, list) else pair.scopes,
    )


def _access(pair: TokenPair) -> AccessToken:
    return AccessToken(pair.access_token, pair.user_id, pair.login, frozenset(pair.scopes))
