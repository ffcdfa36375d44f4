"""The EventSub socket: welcome, keepalive, notifications, both kinds of reconnect, and every way to fail."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.support.twitch_standin.subscriptions import Subscription, Subscriptions

CLOSES = {
    4000: "internal server error",
    4001: "client sent inbound traffic",
    4002: "client failed ping-pong",
    4003: "connection unused",
    4004: "reconnect grace time expired",
    4005: "network timeout",
    4006: "network error",
    4007: "invalid reconnect",
}
LEAST_KEEPALIVE_S, MOST_KEEPALIVE_S = 10, 600


@dataclass(eq=False)
class Session:
    """One welcomed connection; ``user_id`` is whose subscriptions it carries, once it has some."""

    id: str
    socket: ServerConnection
    keepalive_s: int
    connected_at: str
    spoke_at: float = 0.0
    user_id: str = ""
    left_at: float | None = None


class EventSub:
    """Serve EventSub. The switches may be turned at any time; times in seconds.

    ``silent``: connections stay open and nothing is said. ``twice``: every notification is delivered two times.
    ``shuffle``: so many notifications are held back and delivered in reverse. ``keeps_orphans``: a torn session's
    subscriptions stay. ``pace_s`` is a second as far as keepalives are concerned.
    """

    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions
        self.silent = self.twice = self.keeps_orphans = False
        self.refuses = 0
        self.shuffle = 0
        self.unused_s, self.grace_s, self.pace_s = 10.0, 30.0, 1.0
        self.connections = 0
        self.closed_with: list[int] = []
        self.sessions: dict[str, Session] = {}
        self._held: list[tuple[str, Mapping[str, Any]]] = []
        self._reconnects: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._server: Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Return the address, which stays over stop() and start()."""
        return f"ws://127.0.0.1:{self._port}/ws"

    async def start(self) -> None:
        """Listen."""
        self._server = await serve(self._talk, "127.0.0.1", self._port, compression=None, close_timeout=0.2)
        self._port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Close everything and stop listening."""
        if self._server:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def notify(self, kind: str, event: Mapping[str, Any], message_id: str = "") -> int:
        """Tell every session that subscribed to this; return how many were delivered (those held back do not count)."""
        delivered = 0
        message_id = message_id or f"msg-{next(self._numbers)}"
        for session in tuple(self.sessions.values()):
            for subscription in self._subscriptions.of(session.id):
                if subscription.type == kind and _concerns(subscription, event):
                    delivered += await self._deliver(session, self._notification(subscription, event, message_id))
        return delivered

    async def revoke(self, kind: str, status: str = "authorization_revoked") -> None:
        """Revoke every subscription of a kind."""
        for session in tuple(self.sessions.values()):
            for subscription in [
                subscription for subscription in self._subscriptions.of(session.id) if subscription.type == kind
            ]:
                revoked = self._subscriptions.revoke(subscription.id, status)
                await self._send(session, self._message("revocation", {"subscription": written(revoked)}, subscription))

    async def reconnect(self) -> None:
        """Ask every client to move to another address; the old connection lives for ``grace_s`` more."""
        for session in tuple(self.sessions.values()):
            token = f"r{next(self._numbers)}"
            self._reconnects[token] = session.id
            url = f"{self.url}?token={token}&keep=%2B1"
            session.left_at = time.monotonic()
            await self._send(
                session, self._message("session_reconnect", {"session": self._described(session, "reconnecting", url)})
            )

    async def reset(self) -> None:
        """Tear every connection down without a word."""
        for session in tuple(self.sessions.values()):
            session.socket.transport.abort()
            await session.socket.wait_closed()

    async def close(self, code: int) -> None:
        """Close every connection with subscription of Twitch's codes."""
        for session in tuple(self.sessions.values()):
            await session.socket.close(code, CLOSES[code])

    async def release(self) -> None:
        """Deliver what is held back, newest first."""
        held, self._held = self._held[::-1], []
        for session_id, message in held:
            if (session := self.sessions.get(session_id)) is not None:
                await self._send(session, message)

    async def send_raw(self, text: str) -> None:
        """Send a frame exactly as it is."""
        for session in tuple(self.sessions.values()):
            await session.socket.send(text)

    async def _talk(self, socket: ServerConnection) -> None:
        self.connections += 1
        if self.refuses > 0:
            self.refuses -= 1
            socket.transport.abort()
            return
        asked = parse_qs(urlsplit(socket.request.path).query) if socket.request else {}
        old_id = self._reconnects.pop(asked["token"][0], "") if "token" in asked else ""
        if "token" in asked and old_id not in self.sessions:
            await self._close(socket, 4007)
            return
        session = Session(f"session-{next(self._numbers)}", socket, _keepalive(asked), _now())
        self.sessions[session.id] = session
        try:
            await self._live(session, self.sessions.get(old_id))
        except ConnectionClosed:
            pass  # torn down by reset(), or by the client
        finally:
            del self.sessions[session.id]
            if not self.keeps_orphans:
                self._subscriptions.drop(session.id)

    async def _live(self, session: Session, old: Session | None) -> None:
        if old is not None:
            session.user_id = old.user_id
            self._subscriptions.move(old.id, session.id)
        await self._send(session, self._message("session_welcome", {"session": self._described(session, "connected")}))
        began = time.monotonic()
        while True:
            try:
                async with asyncio.timeout(0.02):
                    await session.socket.recv()
            except TimeoutError:
                await self._tick(session, time.monotonic() - began)
            else:
                return await self._close(session.socket, 4001)

    async def _tick(self, session: Session, age_s: float) -> None:
        if session.left_at is not None:
            if time.monotonic() - session.left_at > self.grace_s:
                await self._close(session.socket, 4004)
        elif age_s > self.unused_s and not self._subscriptions.of(session.id):
            await self._close(session.socket, 4003)
        elif time.monotonic() - session.spoke_at > session.keepalive_s * self.pace_s * 0.8:
            await self._send(session, self._message("session_keepalive", {}))

    async def _close(self, socket: ServerConnection, code: int) -> None:
        self.closed_with.append(code)
        await socket.close(code, CLOSES[code])

    async def _deliver(self, session: Session, message: Mapping[str, Any]) -> int:
        if self.shuffle:
            self._held.append((session.id, message))
            if len(self._held) >= self.shuffle:
                await self.release()
            return 0
        for _ in range(2 if self.twice else 1):
            await self._send(session, message)
        return 1

    async def _send(self, session: Session, message: Mapping[str, Any]) -> None:
        session.spoke_at = time.monotonic()
        if self.silent and message["metadata"]["message_type"] != "session_welcome":
            return
        with suppress(ConnectionClosed):  # it goes the way of its connection
            await session.socket.send(json.dumps(message))

    def _notification(self, subscription: Subscription, event: Mapping[str, Any], message_id: str) -> dict[str, Any]:
        return self._message(
            "notification", {"subscription": written(subscription), "event": event}, subscription, message_id
        )

    def _message(
        self, kind: str, payload: Mapping[str, Any], subscription: Subscription | None = None, message_id: str = ""
    ) -> dict[str, Any]:
        metadata = {
            "message_id": message_id or f"msg-{next(self._numbers)}",
            "message_type": kind,
            "message_timestamp": _now(),
        }
        if subscription is not None:
            metadata |= {"subscription_type": subscription.type, "subscription_version": subscription.version}
        return {"metadata": metadata, "payload": payload}

    def _described(self, session: Session, status: str, url: str | None = None) -> dict[str, Any]:
        return {
            "id": session.id,
            "status": status,
            "connected_at": session.connected_at,
            "keepalive_timeout_seconds": session.keepalive_s if status == "connected" else None,
            "reconnect_url": url,
            "recovery_url": None,
        }


def written(subscription: Subscription) -> dict[str, Any]:
    """Write a subscription as Twitch does."""
    return {
        "id": subscription.id,
        "status": subscription.status,
        "type": subscription.type,
        "version": subscription.version,
        "condition": dict(subscription.condition),
        "transport": {"method": "websocket", "session_id": subscription.session_id, "connected_at": _now()},
        "created_at": _now(),
        "cost": subscription.cost,
    }


def _concerns(subscription: Subscription, event: Mapping[str, Any]) -> bool:
    wanted = dict(subscription.condition).get("reward_id")
    return not wanted or event.get("reward", {}).get("id") == wanted


def _keepalive(asked: Mapping[str, list[str]]) -> int:
    given = int(asked.get("keepalive_timeout_seconds", ["10"])[0])
    return max(LEAST_KEEPALIVE_S, min(given, MOST_KEEPALIVE_S))


def _now() -> str:
    # Twitch writes nine fractional digits.
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "123Z"
