"""The socket to Twitch's chat: joins without an account, notices silence, and comes back for ever."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from streamer.contracts import Health
from streamer.text import clean
from streamer.triggers.twitch.chat import SOURCE, Chat
from streamer.triggers.twitch.irc import Message, lines_of, parse
from streamer.types import Retraction, Trigger

log = logging.getLogger(__name__)

_JOINED = frozenset({"366", "ROOMSTATE"})


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what, in seconds.

    Twitch sends a PING about every five minutes, so a longer silence asks for a look (``quiet_s``). A connection that
    held for ``healthy_s`` forgets the failures before it.
    """

    quiet_s: float = 360.0
    pong_s: float = 10.0
    join_s: float = 10.0
    open_s: float = 10.0
    first_retry_s: float = 0.25
    longest_retry_s: float = 30.0
    healthy_s: float = 60.0

    def retry_s(self, attempt: int, share: float) -> float:
        """Return the pause before retry ``attempt`` (from 0): doubling, capped, between half and all of it."""
        return min(self.longest_retry_s, self.first_retry_s * 2.0 ** min(attempt, 30)) * (0.5 + share / 2)


class Nowhere:
    """The source when no channel is set: it has nothing to say."""

    async def listen(self) -> AsyncIterator[Trigger | Retraction]:
        """End at once."""
        return
        yield

    def health(self) -> Health:
        """Say what to do about it."""
        return Health(
            SOURCE, "off", "no channel is set; write it under triggers in config.yaml, like channel: my_channel"
        )


class TwitchChat:
    """Read one channel's chat anonymously over a websocket."""

    def __init__(self, url: str, channel: str, chat: Chat, patience: Patience | None = None) -> None:
        self._url = url
        self._channel = channel
        self._chat = chat
        self._patience = patience or Patience()
        self._state = "connecting"
        self._trouble = ""
        self._attempts = 0
        self._malformed = 0

    def health(self) -> Health:
        """Say whether the channel is being read, and if not, why."""
        bad = self._malformed + self._chat.malformed
        parts = [
            f"#{self._channel}",
            self._trouble,
            f"attempt {self._attempts}" if self._state == "reconnecting" else "",
            f"{bad} lines made no sense" if bad else "",
        ]
        return Health(SOURCE, self._state, "; ".join(part for part in parts if part))

    async def listen(self) -> AsyncIterator[Trigger | Retraction]:
        """Yield what happens in chat; reconnect after every loss, and never end."""
        while True:
            began = time.monotonic()
            try:
                async with self._connection() as socket, aclosing(self._read(socket)) as happenings:
                    async for happening in happenings:
                        yield happening
                self._lost("Twitch asked to reconnect", began)
            # ImportError: the environment names a SOCKS proxy and python-socks is not installed.
            except (OSError, EOFError, WebSocketException, ImportError) as error:
                self._lost(str(error) or type(error).__name__, began)
            await asyncio.sleep(self._patience.retry_s(self._attempts - 1, random.random()))

    def _connection(self) -> connect:
        # No websocket pings: IRC has a PING of its own, which the watchdog uses.
        return connect(
            self._url,
            open_timeout=self._patience.open_s,
            close_timeout=1,
            ping_interval=None,
            compression=None,
            max_size=2**18,
        )

    async def _read(self, socket: ClientConnection) -> AsyncGenerator[Trigger | Retraction, None]:
        """Join, then yield what the lines mean; return when the server asks for a new connection."""
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
                elif happening := self._chat.read(message, time.monotonic()):
                    yield happening
                else:
                    self._note(message)

    async def _next_frame(self, socket: ClientConnection) -> bytes:
        joined = self._state == "ready"
        try:
            return await _frame(socket, self._patience.quiet_s if joined else self._patience.join_s)
        except TimeoutError:
            if not joined:
                self._trouble = f"Twitch does not confirm #{self._channel}; is the name right?"
        await socket.send("PING :streamer")
        try:
            return await _frame(socket, self._patience.pong_s)
        except TimeoutError:
            raise TimeoutError(f"no answer for {self._patience.pong_s:g} s") from None

    def _note(self, message: Message) -> None:
        if self._state == "ready":
            return
        if message.command in _JOINED:
            self._state, self._trouble = "ready", ""
            log.info("twitch: reading #%s", self._channel)
        elif message.command == "NOTICE":
            self._trouble = f"Twitch says: {clean(message.text)[:200]}"
            log.warning("twitch: %s", self._trouble)

    def _lost(self, trouble: str, began: float) -> None:
        if time.monotonic() - began > self._patience.healthy_s:
            self._attempts = 0
        self._state, self._trouble, self._attempts = "reconnecting", trouble, self._attempts + 1
        level = logging.WARNING if self._attempts == 1 else logging.INFO
        log.log(level, "twitch: %s; trying again (attempt %d)", trouble, self._attempts)


async def _frame(socket: ClientConnection, within_s: float) -> bytes:
    # Undecoded: a line with bad UTF-8 then costs that line, not the connection.
    async with asyncio.timeout(within_s):
        return await socket.recv(decode=False)
