"""The connection to EventSub: carries out what the protocol says, comes back for ever, and says how it is."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from streamer.errors import StreamerError, TwitchError
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
from streamer.integrations.twitch.subscriptions import LINES, Subscription, summary
from streamer.integrations.twitch.timeouts import Timeouts
from streamer.integrations.twitch.tokens import AccessToken

log = logging.getLogger(__name__)

BACKLOG = 1000

Tell = Callable[[Notification], Awaitable[None]]
Ready = Callable[[AccessToken, str], Awaitable[None]]


class EventSubClient:
    """Read the events of one channel; ``tell`` gets each, ``ready`` is called after every fresh subscription.

    ``reads_chat`` says whether the lines of chat come this way now.
    """

    def __init__(
        self,
        account: Account,
        channel: str,
        wants: tuple[Subscription, ...],
        tell: Tell,
        ready: Ready,
        patience: Timeouts,
    ) -> None:
        self._account, self._channel, self._wants = account, channel, wants
        self._tell, self._ready, self._patience = tell, ready, patience
        self._subscriber = Subscriber(account.helix)
        self._seen = TtlSet()
        self._frames: asyncio.Queue[tuple[int, str | bytes | ClientConnection | Exception]] = asyncio.Queue(BACKLOG)
        self._sockets: dict[int, ClientConnection] = {}
        self._channel_id = ""
        self._alive = False
        self._attempts = 0
        self.trouble = ""

    @property
    def reads_chat(self) -> bool:
        """Tell whether the lines of chat come from EventSub at this moment."""
        return self._alive and LINES in self._subscriber.on

    def detail(self) -> str:
        """Say for people what comes this way, and what does not and why."""
        if not self._alive:
            return f"events: {self.trouble or 'connecting'}"
        return "; ".join(["events on", *summary(self._subscriber.off)])

    async def run(self) -> None:
        """Connect, subscribe and tell, until cancelled; a loss or a fault is a pause and another beginning."""
        while True:
            began = time.monotonic()
            lost = await self._try()
            self._alive = False
            if time.monotonic() - began > self._patience.healthy_s:
                self._attempts = 0
            if self.trouble != lost.why:
                log.log(logging.INFO if lost.at_once else logging.WARNING, "twitch events: %s", lost.why)
            self.trouble, self._attempts = lost.why, self._attempts + 1
            if not (lost.at_once and self._attempts == 1):
                await asyncio.sleep(self._patience.retry_s(self._attempts - 1, random.random()))

    async def _try(self) -> Disconnected:
        try:
            # A running socket outlives its token, so a bot looks healthy until the next loss: look at the token first.
            access = await self._account.tokens.validate()
            self._channel_id = self._channel_id or await self._id_of(access)
            return await self._live(access)
        except StreamerError as error:
            return Disconnected(str(error))

    async def _id_of(self, access: AccessToken) -> str:
        if access.login == self._channel:
            return access.user_id
        users = (await self._account.helix.get("users", {"login": self._channel})).get("data") or []
        if not users:
            raise TwitchError(404, f"there is no channel {self._channel}")
        return str(users[0]["id"])

    async def _live(self, access: AccessToken) -> Disconnected:
        """Go from the first socket to the end of the session."""
        tasks: set[asyncio.Task[None]] = set()
        base = self._account.settings.eventsub_url
        url = f"{base}{'&' if '?' in base else '?'}{urlencode({'keepalive_timeout_seconds': KEEPALIVE_S})}"
        protocol = EventSubProtocol(url, self._seen, time.monotonic())
        try:
            return await self._act(protocol, access, tasks)
        finally:
            self._alive = False
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            while not self._frames.empty():
                self._frames.get_nowait()
            # Closed properly: Twitch counts a torn connection's subscriptions for a while.
            await asyncio.gather(*(socket.close() for socket in self._sockets.values()), return_exceptions=True)
            self._sockets.clear()

    async def _act(
        self, protocol: EventSubProtocol, access: AccessToken, tasks: set[asyncio.Task[None]]
    ) -> Disconnected:
        actions: list[Action] = [protocol.begin]
        while True:
            for action in actions:
                if isinstance(action, Disconnected):
                    return action
                if (lost := await self._do(action, access, tasks)) is not None:
                    return lost
            actions = await self._next(protocol)

    async def _next(self, protocol: EventSubProtocol) -> list[Action]:
        try:
            async with asyncio.timeout(max(0.0, protocol.deadline() - time.monotonic())):
                number, news = await self._frames.get()
        except TimeoutError:
            return [protocol.silent()]
        if isinstance(news, ClientConnection):
            self._sockets[number] = news
            return []
        if isinstance(news, SessionGone):
            return [Disconnected(str(news))]
        if isinstance(news, Exception):
            self._sockets.pop(number, None)
            code = news.rcvd.code if isinstance(news, ConnectionClosed) and news.rcvd else None
            return protocol.closed(number, code, str(news) or type(news).__name__, time.monotonic())
        return protocol.received(number, news, time.monotonic())

    async def _do(self, action: Action, access: AccessToken, tasks: set[asyncio.Task[None]]) -> Disconnected | None:
        if isinstance(action, Notification):
            await self._tell(action)
        elif isinstance(action, OpenSession):
            tasks.add(asyncio.create_task(self._pump(action), name=f"eventsub-{action.number}"))
        elif isinstance(action, CloseSession):
            if (socket := self._sockets.pop(action.number, None)) is not None:
                tasks.add(asyncio.create_task(socket.close(), name="eventsub-close"))
        elif isinstance(action, SubscribeAll):
            tasks.add(asyncio.create_task(self._subscribe(action.session_id, access), name="eventsub-subscribe"))
        elif isinstance(action, Reconnected):
            self._subscriber.moved(action.session_id)
        elif isinstance(action, SubscriptionRevoked):
            return self._revoked(action)
        return None

    def _revoked(self, revoked: SubscriptionRevoked) -> Disconnected | None:
        log.warning("twitch: %s was taken away: %s", revoked.kind, revoked.status)
        self._subscriber.on.discard(revoked.kind)
        for one in self._wants:
            if one.kind == revoked.kind:
                self._subscriber.off[one] = f"taken away ({revoked.status})"
        if revoked.status == "authorization_revoked" and not self._subscriber.on:
            return Disconnected("the login was revoked")
        return None

    async def _pump(self, to_open: OpenSession) -> None:
        """Out: the frames of one connection, and last why it ended."""
        number = to_open.number
        try:
            # No pings of ours: Twitch asks clients to send nothing but pongs.
            async with connect(
                to_open.url, open_timeout=self._patience.open_s, close_timeout=1, ping_interval=None, compression=None,
                max_size=2**20,
            ) as socket:  # fmt: skip
                await self._frames.put((number, socket))
                while True:
                    await self._frames.put((number, await socket.recv()))
        # ImportError: the environment names a SOCKS proxy and python-socks is not installed.
        except (OSError, EOFError, WebSocketException, ImportError, TimeoutError) as error:
            await self._frames.put((number, error))

    async def _subscribe(self, session_id: str, access: AccessToken) -> None:
        """Out: subscriptions, then ``ready``, then for as long as it takes what did not work at first."""
        self._alive, self.trouble = True, ""
        left = self._subscriber.begin(self._wants, session_id, access, self._channel_id)
        try:
            left = await self._subscriber.create(left, session_id, access, self._channel_id)
            await self._ready(access, self._channel_id)
            attempt = 0
            while left:
                await asyncio.sleep(self._patience.subscribe_s(attempt))
                left = await self._subscriber.create(left, session_id, access, self._channel_id)
                attempt += 1
        except* (SessionGone, StreamerError) as errors:
            await self._frames.put((0, SessionGone(str(errors.exceptions[0]))))
