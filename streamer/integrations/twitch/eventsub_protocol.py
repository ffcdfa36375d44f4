"""EventSub over websocket as a machine without sockets: frames and moments go in, what to do comes out.

https://dev.twitch.tv/docs/eventsub/handling-websocket-events/

Two reconnects must never be mixed up. Told by ``session_reconnect``: open the given address, keep reading the old
socket until the new one says welcome, then close the old; subscriptions carry over. Lost, by a close or by silence:
start from the base address and subscribe again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streamer.integrations.twitch.dedupe import TtlSet

WELCOME_S = 10.0
MOVE_S = 30.0
"""How long Twitch keeps the old connection open after asking for a move."""
SLACK_S = 2.0
"""How much later than announced a keepalive may be."""
KEEPALIVE_S = 10

# https://dev.twitch.tv/docs/eventsub/handling-websocket-events/#close-message
CLOSES = {
    4000: "Twitch has a fault of its own",
    4001: "Twitch says that we sent something",
    4002: "Twitch missed our answers to its pings",
    4003: "Twitch closed a connection without subscriptions",
    4004: "Twitch closed the old connection after a move",
    4005: "Twitch lost us to a network timeout",
    4006: "Twitch lost us to a network error",
    4007: "Twitch does not know the address of the move",
}
AT_ONCE = frozenset({4004, 4007})
"""After these nothing speaks against coming back at once."""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Connect to an address; the connection is called ``number``."""

    number: int
    url: str


@dataclass(frozen=True, slots=True)
class CloseSession:
    """Close a connection that is no longer needed."""

    number: int


@dataclass(frozen=True, slots=True)
class SubscribeAll:
    """Subscribe to everything in this new session."""

    session_id: str


@dataclass(frozen=True, slots=True)
class Reconnected:
    """The subscriptions live on in this session."""

    session_id: str


@dataclass(frozen=True, slots=True)
class Notification:
    """Something happened; ``kind`` is the subscription's type."""

    id: str
    kind: str
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SubscriptionRevoked:
    """Twitch took a subscription away; ``status`` says why."""

    kind: str
    status: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    """Nothing more will come: close everything, and start afresh."""

    why: str
    at_once: bool = False


Action = OpenSession | CloseSession | SubscribeAll | Reconnected | Notification | SubscriptionRevoked | Disconnected


class EventSubProtocol:
    """One life of the connection to EventSub, from the first socket to ``Lost``; connections are numbers."""

    def __init__(self, url: str, seen: TtlSet, now: float) -> None:
        self._seen = seen
        self._current: int | None = None
        self._next = 1
        self._moving_by: float | None = None
        self._keepalive_s = float(KEEPALIVE_S)
        self._dead_at = now + WELCOME_S
        self._first = OpenSession(1, url)
        self.malformed = 0

    @property
    def begin(self) -> OpenSession:
        """Return what to do first."""
        return self._first

    def deadline(self) -> float:
        """Say when the silence is too long."""
        return self._dead_at

    def silent(self) -> Disconnected:
        """Say what to do when the deadline has passed."""
        return Disconnected("Twitch has gone silent" if self._current is not None else "Twitch does not say welcome")

    def received(self, number: int, frame: str | bytes, now: float) -> list[Action]:
        """Take one frame of one connection."""
        try:
            message = json.loads(frame)
            metadata, payload = message["metadata"], message["payload"]
            kind, message_id = str(metadata["message_type"]), str(metadata["message_id"])
            actions = self._meant(number, kind, message_id, metadata, payload, now)
        except (ValueError, KeyError, TypeError, AttributeError):
            self.malformed += 1
            return []
        if number == self._current and self._moving_by is None:
            self._dead_at = now + self._keepalive_s + SLACK_S
        return actions

    def _meant(
        self, number: int, kind: str, message_id: str, metadata: Mapping[str, Any], payload: Any, now: float
    ) -> list[Action]:
        if kind == "session_welcome":
            return self._welcomed(number, payload["session"])
        if kind == "notification":
            # Delivery is "at least once".
            if self._seen.before(message_id, now):
                return []
            return [Notification(message_id, str(metadata["subscription_type"]), dict(payload["event"]))]
        if kind == "session_reconnect":
            return self._move(str(payload["session"]["reconnect_url"]), now)
        if kind == "revocation":
            one = payload["subscription"]
            return [SubscriptionRevoked(str(one["type"]), str(one["status"]))]
        return []

    def _welcomed(self, number: int, session: Mapping[str, Any]) -> list[Action]:
        self._keepalive_s = float(session.get("keepalive_timeout_seconds") or KEEPALIVE_S)
        session_id, old = str(session["id"]), self._current
        self._current, self._moving_by = number, None
        if number == 1:
            return [SubscribeAll(session_id)]
        closing: list[Action] = [CloseSession(old)] if old is not None else []
        return [*closing, Reconnected(session_id)]

    def _move(self, url: str, now: float) -> list[Action]:
        if self._moving_by is not None:
            return []  # told twice
        self._next += 1
        self._moving_by = self._dead_at = now + MOVE_S
        return [OpenSession(self._next, url)]

    def closed(self, number: int, code: int | None, why: str, now: float) -> list[Action]:
        """Take the end of a connection, or that it never came to be."""
        moving_to = self._next if self._moving_by is not None else None
        if number not in (self._current, moving_to, 1 if self._current is None else None):
            return []  # the old one after a move
        if number == self._current and moving_to is not None:
            self._current = None
            return []  # the new one may still say welcome
        return [
            Disconnected(CLOSES.get(code or 0) or why or f"closed with {code}", code in AT_ONCE or moving_to == number)
        ]
