"""The connection to EventSub: carries out the protocol's actions, reconnects for ever, and reports its state."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from typing import Protocol
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, WebSocketException

from streamer.errors import StreamerError, TwitchError
from streamer.integrations import network
from streamer.integrations.twitch.account import Account
from streamer.integrations.twitch.dedupe import TtlSet
from streamer.integrations.twitch.eventsub_protocol import (
    KEEPALIVE_S,
    Action,
    CloseSession,
    Disconnected,
    EventSubProtocol,
    Notification,
    OpenSession,
    Reconnected,
    SubscribeAll,
    SubscriptionRevoked,
)
from streamer.integrations.twitch.subscriber import SessionGone, Subscriber
from streamer.integrations.twitch.subscriptions import CHAT_MESSAGES, Subscription, summary
from streamer.integrations.twitch.timeouts import Timeouts
from streamer.integrations.twitch.tokens import AccessToken

log = logging.getLogger(__name__)

MAX_QUEUED_FRAMES = 1000

SocketEvent = ClientConnection | str | bytes | Exception
"""What a socket's task reports: that it opened, a frame, or why it ended."""


class EventSubListener(Protocol):
    """The receiver of what EventSub says."""

    async def on_notification(self, notification: Notification) -> None:
        """Take one event."""

    async def on_subscribed(self, access: AccessToken, channel_id: str) -> None:
        """Catch up after every fresh subscription."""


class EventSubClient:
    """Read the events of one channel and hand them to the listener."""

    def __init__(
        self,
        account: Account,
        channel: str,
        subscriptions: tuple[Subscription, ...],
        listener: EventSubListener,
        timeouts: Timeouts,
    ) -> None:
        self._account, self._channel, self._subscriptions = account, channel, subscriptions
        self._listener, self._timeouts = listener, timeouts
        self._subscriber = Subscriber(account.helix)
        self._seen = TtlSet()
        self._inbox: asyncio.Queue[tuple[int, SocketEvent]] = asyncio.Queue(MAX_QUEUED_FRAMES)
        self._sockets: dict[int, ClientConnection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._channel_id = ""
        self._live = False
        self._attempts = 0
        self._problem = ""

    @property
    def reads_chat(self) -> bool:
        """Tell whether EventSub delivers chat messages at this moment."""
        return self._live and CHAT_MESSAGES in self._subscriber.active

    def detail(self) -> str:
        """Say whether events arrive, and which features are off and why."""
        if not self._live:
            return f"events: {self._problem or 'connecting'}"
        return "; ".join(["events on", *summary(self._subscriber.off)])

    async def run(self) -> None:
        """Connect, subscribe and deliver until cancelled; after a loss or a fault wait and start again."""
        while True:
            started = time.monotonic()
            lost = await self._connect()
            self._live = False
            if time.monotonic() - started > self._timeouts.healthy_s:
                self._attempts = 0
            if self._problem != lost.reason:
                log.log(logging.INFO if lost.at_once else logging.WARNING, "twitch events: %s", lost.reason)
            self._problem, self._attempts = lost.reason, self._attempts + 1
            if not (lost.at_once and self._attempts == 1):
                await asyncio.sleep(self._timeouts.retry_s(self._attempts - 1, random.random()))

    async def _connect(self) -> Disconnected:
        try:
            # An open socket outlives its token and then fails at the next reconnect: check the token first.
            access = await self._account.tokens.validate()
            self._channel_id = self._channel_id or await self._look_up_channel(access)
            return await self._run_session(access)
        except StreamerError as error:
            return Disconnected(str(error))

    async def _look_up_channel(self, access: AccessToken) -> str:
        if access.login == self._channel:
            return access.user_id
        users = (await self._account.helix.get("users", {"login": self._channel})).get("data") or []
        if not users:
            raise TwitchError(404, f"there is no channel {self._channel}")
        return str(users[0]["id"])

    async def _run_session(self, access: AccessToken) -> Disconnected:
        """Run from the first socket to the loss of the session."""
        base = self._account.settings.eventsub_url
        url = f"{base}{'&' if '?' in base else '?'}{urlencode({'keepalive_timeout_seconds': KEEPALIVE_S})}"
        protocol = EventSubProtocol(url, self._seen, time.monotonic())
        try:
            return await self._follow(protocol, access)
        finally:
            self._live = False
            await self._close()

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        while not self._inbox.empty():
            self._inbox.get_nowait()
        # Closed properly: Twitch counts the subscriptions of a torn connection for a while.
        await asyncio.gather(*(socket.close() for socket in self._sockets.values()), return_exceptions=True)
        self._sockets.clear()

    async def _follow(self, protocol: EventSubProtocol, access: AccessToken) -> Disconnected:
        actions: list[Action] = [protocol.first_action]
        while True:
            for action in actions:
                if (lost := await self._perform(action, access)) is not None:
                    return lost
            actions = await self._next_actions(protocol)

    async def _next_actions(self, protocol: EventSubProtocol) -> list[Action]:
        try:
            async with asyncio.timeout(max(0.0, protocol.deadline() - time.monotonic())):
                number, event = await self._inbox.get()
        except TimeoutError:
            return [protocol.timed_out()]
        if isinstance(event, ClientConnection):
            self._sockets[number] = event
            return []
        if isinstance(event, SessionGone):
            return [Disconnected(str(event))]
        if isinstance(event, Exception):
            self._sockets.pop(number, None)
            code = event.rcvd.code if isinstance(event, ConnectionClosed) and event.rcvd else None
            return protocol.closed(number, code, str(event) or type(event).__name__)
        return protocol.received(number, event, time.monotonic())

    async def _perform(self, action: Action, access: AccessToken) -> Disconnected | None:
        match action:
            case Disconnected():
                return action
            case SubscriptionRevoked():
                return self._revoked(action)
            case Notification():
                await self._listener.on_notification(action)
            case OpenSession(number=number):
                self._tasks.add(asyncio.create_task(self._read_socket(action), name=f"eventsub-{number}"))
            case CloseSession(number=number):
                if (socket := self._sockets.pop(number, None)) is not None:
                    self._tasks.add(asyncio.create_task(socket.close(), name="eventsub-close"))
            case SubscribeAll(session_id=session_id):
                self._tasks.add(asyncio.create_task(self._subscribe(session_id, access), name="eventsub-subscribe"))
            case Reconnected(session_id=session_id):
                self._subscriber.add_session(session_id)
        return None

    def _revoked(self, revoked: SubscriptionRevoked) -> Disconnected | None:
        log.warning("twitch: the subscription %s was revoked: %s", revoked.kind, revoked.status)
        self._subscriber.active.discard(revoked.kind)
        for subscription in self._subscriptions:
            if subscription.kind == revoked.kind:
                self._subscriber.off[subscription] = f"revoked ({revoked.status})"
        if revoked.status == "authorization_revoked" and not self._subscriber.active:
            return Disconnected("the login was revoked")
        return None

    async def _read_socket(self, session: OpenSession) -> None:
        """Queue the frames of one connection, and finally why it ended."""
        try:
            # No pings of our own: Twitch asks clients to send nothing but pongs.
            async with network.websocket(
                session.url, open_timeout=self._timeouts.open_s, close_timeout=1, ping_interval=None, compression=None,
                max_size=2**20,
            ) as socket:  # fmt: skip
                await self._inbox.put((session.number, socket))
                while True:
                    await self._inbox.put((session.number, await socket.recv()))
        except (OSError, EOFError, WebSocketException, TimeoutError) as error:
            await self._inbox.put((session.number, error))

    async def _subscribe(self, session_id: str, access: AccessToken) -> None:
        """Create the subscriptions, call the listener, then retry what failed for as long as it takes."""
        self._live, self._problem = True, ""
        missing = self._subscriber.start_session(self._subscriptions, session_id, access, self._channel_id)
        try:
            missing = await self._subscriber.create(missing, session_id, access, self._channel_id)
            await self._listener.on_subscribed(access, self._channel_id)
            attempt = 0
            while missing:
                await asyncio.sleep(self._timeouts.subscribe_s(attempt))
                missing = await self._subscriber.create(missing, session_id, access, self._channel_id)
                attempt += 1
        except* (SessionGone, StreamerError) as errors:
            await self._inbox.put((0, SessionGone(str(errors.exceptions[0]))))
