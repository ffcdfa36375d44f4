"""Device codes and tokens: what the id service hands out, takes back and forgets. No sockets."""

from __future__ import annotations

import itertools
import secrets
import time
from dataclasses import dataclass

from tests.support.twitch_standin.people import User

CLIENT_ID = "standinclient0000000000000000x"
ACCESS_S = 14_400
DEVICE_S = 1800
INTERVAL_S = 5


class Denied(Exception):
    """The id service says no: a status and Twitch's own words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass
class Device:
    """One login in progress."""

    client_id: str
    scopes: tuple[str, ...]
    user_code: str
    expires_at: float
    state: str = "pending"
    user: User | None = None
    polled: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """Who an access token speaks for, and what it may do."""

    client_id: str
    user: User
    scopes: tuple[str, ...]
    expires_at: float


@dataclass(frozen=True, slots=True)
class Pair:
    """An access token and the one refresh token that renews it, once."""

    access: str
    refresh: str
    expires_in: int
    scopes: tuple[str, ...]


class Grants:
    """Everything handed out; ``access_s`` is how long a new access token lives; ``refreshes`` counts renewals."""

    def __init__(self) -> None:
        self.access_s = ACCESS_S
        self.interval_s = INTERVAL_S
        self.confidential = False
        self.refreshes = 0
        self._skipped = 0.0
        self._numbers = itertools.count(1)
        self._devices: dict[str, Device] = {}
        self._access: dict[str, Grant] = {}
        self._refresh: dict[str, Grant] = {}
        self._spent: set[str] = set()

    def skip(self, seconds: float) -> None:
        """Let time pass for device codes and access tokens."""
        self._skipped += seconds

    def device(self, client_id: str, scopes: tuple[str, ...]) -> tuple[str, Device]:
        """Begin a login."""
        self._check_client(client_id)
        code = secrets.token_hex(20)
        device = Device(client_id, scopes, f"CODE{next(self._numbers):04}", self._now() + DEVICE_S)
        self._devices[code] = device
        return code, device

    @property
    def newest(self) -> Device:
        """Return the login that began last."""
        return next(reversed(self._devices.values()))

    def approve(self, user: User, user_code: str = "") -> None:
        """Have the streamer type the code and agree."""
        device = self._by_user_code(user_code)
        device.state, device.user = "approved", user

    def deny(self, user_code: str = "") -> None:
        """Have the streamer type the code and say no."""
        self._by_user_code(user_code).state = "denied"

    def redeem_device(self, client_id: str, code: str) -> Pair:
        """Poll a login: tokens once it is approved."""
        self._check_client(client_id)
        device = self._devices.get(code)
        if device is None or device.client_id != client_id:
            raise Denied(400, "invalid device code")
        device.polled += 1
        if self._now() > device.expires_at:
            raise Denied(400, "invalid device code")
        if device.state == "denied":
            raise Denied(400, "access_denied")
        if device.user is None:
            raise Denied(400, "authorization_pending")
        del self._devices[code]
        return self.issue(device.user, device.scopes, client_id)

    def issue(self, user: User, scopes: tuple[str, ...], client_id: str = CLIENT_ID) -> Pair:
        """Hand out a pair."""
        grant = Grant(client_id, user, tuple(sorted(set(scopes))), self._now() + self.access_s)
        pair = Pair(secrets.token_hex(15), secrets.token_hex(25), self.access_s, grant.scopes)
        self._access[pair.access] = grant
        self._refresh[pair.refresh] = grant
        return pair

    def refresh(self, client_id: str, token: str) -> Pair:
        """Renew a pair; the refresh token is dead afterwards."""
        self._check_client(client_id)
        if self.confidential:
            raise Denied(400, "missing client secret")
        grant = self._refresh.pop(token, None)
        if grant is None or grant.client_id != client_id:
            raise Denied(400, "Invalid refresh token")
        self._spent.add(token)
        self.refreshes += 1
        return self.issue(grant.user, grant.scopes, client_id)

    def holder(self, token: str) -> Grant | None:
        """Return whom an access token speaks for, while it lives."""
        grant = self._access.get(token)
        return grant if grant and grant.expires_at > self._now() else None

    def expires_in(self, grant: Grant) -> int:
        """Return the seconds that a grant's access token has left."""
        return int(grant.expires_at - self._now())

    def expire_access(self) -> None:
        """Let every access token run out; refresh tokens live on."""
        self._access.clear()

    def revoke(self, user: User | None = None) -> None:
        """Take everything back from a user (or from all), as a changed password or a disconnect does."""
        for tokens in (self._access, self._refresh):
            for token in [token for token, grant in tokens.items() if user is None or grant.user == user]:
                del tokens[token]

    def drop(self, token: str) -> None:
        """Forget one access token, as its owner asked."""
        self._access.pop(token, None)

    def _by_user_code(self, user_code: str) -> Device:
        if not user_code:
            return self.newest
        return next(device for device in self._devices.values() if device.user_code == user_code)

    def _check_client(self, client_id: str) -> None:
        if client_id != CLIENT_ID:
            raise Denied(400, "invalid client id")

    def _now(self) -> float:
        return time.monotonic() + self._skipped
