"""The connection to Twitch's chat over IRC: joins without an account, detects silence, and reconnects for ever."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from streamer.errors import in_words
from streamer.integrations import network
from streamer.integrations.twitch.chat_merge import ChatMerger
from streamer.integrations.twitch.irc_message import IrcMessage, lines_of, parse
from streamer.integrations.twitch.timeouts import Timeouts
from streamer.interfaces import HealthState, SourceEvent
from streamer.text import clean

log = logging.getLogger(__name__)

_JOINED = frozenset({"366", "ROOMSTATE"})


class IrcClient:
    """Read one channel's chat anonymously over a websocket."""

    def __init__(self, url: str, channel: str, chat: ChatMerger, timeouts: Timeouts | None = None) -> None:
        self._url = url
        self._channel = channel
        self._chat = chat
        self._timeouts = timeouts or Timeouts()
        self._state = HealthState.CONNECTING
        self._problem = ""
        self._attempts = 0
        self._malformed = 0

    @property
    def state(self) -> HealthState:
        """Return connecting, ready or reconnecting."""
        return self._state

    def detail(self) -> str:
        """Say what is wrong; empty when nothing is."""
        attempt = f"attempt {self._attempts}" if self._state is HealthState.RECONNECTING else ""
        malformed = f"{self._malformed} unreadable lines" if self._malformed else ""
        return "; ".join(part for part in (self._problem, attempt, malformed) if part)

    async def listen(self) -> AsyncIterator[SourceEvent]:
        """Yield what happens in chat; reconnect after every loss, and never end."""
        while True:
            started_at = time.monotonic()
            try:
                async with self._connection() as socket, aclosing(self._read(socket)) as events:
                    async for event in events:
                        yield event
                self._lost("Twitch asked to reconnect", started_at)
            except (OSError, EOFError, WebSocketException) as error:
                self._lost(in_words(error), started_at)
            await asyncio.sleep(self._timeouts.retry_s(self._attempts - 1, random.random()))

    def _connection(self) -> connect:
        # No websocket pings: IRC has a PING of its own, which the watchdog uses.
        return network.websocket(
            self._url,
            open_timeout=self._timeouts.open_s,
            close_timeout=1,
            ping_interval=None,
            compression=None,
            max_size=2**18,
        )

    async def _read(self, socket: ClientConnection) -> AsyncGenerator[SourceEvent, None]:
        """Join, then yield the events in each line; return when the server asks for a new connection."""
        await socket.send("CAP REQ :twitch.tv/tags twitch.tv/commands")
        await socket.send(f"NICK justinfan{random.randrange(10_000, 100_000)}")
        await socket.send(f"JOIN #{self._channel}")
        while True:
            for line in lines_of(await self._next_frame(socket)):
                message = parse(line)
                if message is None:
                    self._malformed += 1
                elif message.command == "RECONNECT":
                    return
                elif message.command == "PING":
                    await socket.send(f"PONG :{message.text}")
                else:
                    self._track_join(message)
                    for event in self._chat.read_irc(message, time.monotonic()):
                        yield event

    async def _next_frame(self, socket: ClientConnection) -> bytes:
        joined = self._state is HealthState.READY
        try:
            return await _receive(socket, self._timeouts.quiet_s if joined else self._timeouts.join_s)
        except TimeoutError:
            if not joined:
                self._problem = f"Twitch does not confirm #{self._channel}; check the name"
        await socket.send("PING :streamer")
        try:
            return await _receive(socket, self._timeouts.pong_s)
        except TimeoutError:
            raise TimeoutError(f"no answer for {self._timeouts.pong_s:g} s") from None

    def _track_join(self, message: IrcMessage) -> None:
        if self._state is HealthState.READY:
            return
        if message.command in _JOINED:
            self._state, self._problem = HealthState.READY, ""
            log.info("twitch: reading #%s", self._channel)
        elif message.command == "NOTICE":
            self._problem = f"Twitch says: {clean(message.text)[:200]}"
            log.warning("twitch: %s", self._problem)

    def _lost(self, problem: str, started_at: float) -> None:
        if time.monotonic() - started_at > self._timeouts.healthy_s:
            self._attempts = 0
        self._state, self._problem, self._attempts = HealthState.RECONNECTING, problem, self._attempts + 1
        level = logging.WARNING if self._attempts == 1 else logging.INFO
        log.log(level, "twitch: %s; trying again (attempt %d)", problem, self._attempts)


async def _receive(socket: ClientConnection, timeout_s: float) -> bytes:
    # Undecoded, so that bad UTF-8 costs one line and not the connection.
    async with asyncio.timeout(timeout_s):
        return await socket.recv(decode=False)
