"""EventSub over websocket as a state machine without sockets: frames and times go in, actions come out.

https://dev.twitch.tv/docs/eventsub/handling-websocket-events/

There are two kinds of reconnect. After ``session_reconnect``: open the given address, keep reading the old socket
until the new one says welcome, then close the old one; subscriptions carry over. After a loss, by a close or by
silence: start from the base address and subscribe again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streamer.integrations.twitch.dedupe import TtlSet

WELCOME_S = 10.0
RECONNECT_S = 30.0
"""How long Twitch keeps the old connection open after ``session_reconnect``."""
SLACK_S = 2.0
"""How much later than announced a keepalive may come."""
KEEPALIVE_S = 10

# https://dev.twitch.tv/docs/eventsub/handling-websocket-events/#close-message
CLOSE_REASONS = {
    4000: "Twitch has an internal error",
    4001: "Twitch closed the connection because the client sent a message",
    4002: "Twitch got no answer to its pings",
    4003: "Twitch closed a connection without subscriptions",
    4004: "Twitch closed the old connection after a reconnect",
    4005: "Twitch closed the connection after a network timeout",
    4006: "Twitch closed the connection after a network error",
    4007: "Twitch does not know the reconnect address",
}
AT_ONCE = frozenset({4004, 4007})
"""Close codes after which the client may reconnect at once."""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Open connection ``number`` to an address."""

    number: int
    url: str


@dataclass(frozen=True, slots=True)
class CloseSession:
    """Close connection ``number``, which is no longer needed."""

    number: int


@dataclass(frozen=True, slots=True)
class SubscribeAll:
    """Create every subscription in this new session."""

    session_id: str


@dataclass(frozen=True, slots=True)
class Reconnected:
    """The subscriptions carried over to this session."""

    session_id: str


@dataclass(frozen=True, slots=True)
class Notification:
    """An event; ``kind`` is the subscription's type."""

    id: str
    kind: str
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SubscriptionRevoked:
    """Twitch revoked a subscription; ``status`` says why."""

    kind: str
    status: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    """Nothing more will come: close every connection and start again."""

    reason: str
    at_once: bool = False


Action = OpenSession | CloseSession | SubscribeAll | Reconnected | Notification | SubscriptionRevoked | Disconnected


class EventSubProtocol:
    """One session chain, from the first connection to ``Disconnected``; connections are numbers."""

    def __init__(self, url: str, seen: TtlSet, now: float) -> None:
        self._seen = seen
        self._current: int | None = None
        self._next = 1
        self._reconnect_by: float | None = None
        self._keepalive_s = float(KEEPALIVE_S)
        self._deadline = now + WELCOME_S
        self._first = OpenSession(1, url)
        self.malformed = 0

    @property
    def first_action(self) -> OpenSession:
        """Return the action that starts the session."""
        return self._first

    def deadline(self) -> float:
        """Return when the connection counts as dead unless something arrives."""
        return self._deadline

    def timed_out(self) -> Disconnected:
        """Return the action for a deadline that has passed."""
        return Disconnected("Twitch has gone silent" if self._current is not None else "Twitch sent no welcome message")

    def received(self, number: int, frame: str | bytes, now: float) -> list[Action]:
        """Handle one frame of one connection."""
        try:
            message = json.loads(frame)
            actions = self._handle(number, message["metadata"], message["payload"], now)
        except (ValueError, KeyError, TypeError, AttributeError):
            self.malformed += 1
            return []
        if number == self._current and self._reconnect_by is None:
            self._deadline = now + self._keepalive_s + SLACK_S
        return actions

    def _handle(self, number: int, metadata: Mapping[str, Any], payload: Any, now: float) -> list[Action]:
        kind, message_id = str(metadata["message_type"]), str(metadata["message_id"])
        if kind == "session_welcome":
            return self._handle_welcome(number, payload["session"])
        if kind == "notification":
            # Delivery is "at least once".
            if self._seen.add(message_id, now):
                return []
            return [Notification(message_id, str(metadata["subscription_type"]), dict(payload["event"]))]
        if kind == "session_reconnect":
            return self._reconnect(str(payload["session"]["reconnect_url"]), now)
        if kind == "revocation":
            subscription = payload["subscription"]
            return [SubscriptionRevoked(str(subscription["type"]), str(subscription["status"]))]
        return []

    def _handle_welcome(self, number: int, session: Mapping[str, Any]) -> list[Action]:
        self._keepalive_s = float(session.get("keepalive_timeout_seconds") or KEEPALIVE_S)
        session_id, previous = str(session["id"]), self._current
        self._current, self._reconnect_by = number, None
        if number == 1:
            return [SubscribeAll(session_id)]
        close: list[Action] = [CloseSession(previous)] if previous is not None else []
        return [*close, Reconnected(session_id)]

    def _reconnect(self, url: str, now: float) -> list[Action]:
        if self._reconnect_by is not None:
            return []  # Twitch repeats itself
        self._next += 1
        self._reconnect_by = self._deadline = now + RECONNECT_S
        return [OpenSession(self._next, url)]

    def closed(self, number: int, code: int | None, reason: str) -> list[Action]:
        """Handle the end of a connection, or a failure to open it."""
        replacement = self._next if self._reconnect_by is not None else None
        if number not in (self._current, replacement, 1 if self._current is None else None):
            return []  # the old connection after a reconnect
        if number == self._current and replacement is not None:
            self._current = None
            return []  # the new connection may still say welcome
        reason = CLOSE_REASONS.get(code or 0) or reason or f"closed with {code}"
        return [Disconnected(reason, at_once=code in AT_ONCE or replacement == number)]
