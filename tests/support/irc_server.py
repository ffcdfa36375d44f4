"""A chat server of our own on a real socket: enough of Twitch's IRC over websocket to be read, and all of its moods.

async with IrcServer("harbour") as server:      # ws://127.0.0.1:<free port>
    ...                                         # start whatever reads from server.url
    await server.joined()                       # somebody has joined #harbour
    message_id = await server.say("!bg castle", "ann", badges="moderator/1")
"""

from __future__ import annotations

import asyncio
import itertools
import re
from contextlib import suppress
from types import TracebackType
from zlib import crc32

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

ROOM_ID = "1000"


class IrcServer:
    """Serve one channel; ``received`` holds every line that clients sent, ``connections`` counts them all."""

    def __init__(self, channel: str = "harbour", *, port: int = 0) -> None:
        self.channel = channel
        self.received: list[str] = []
        self.connections = 0
        self.confirms_joins = True
        self.answers_pings = True
        self._port = port
        self._ids = itertools.count(1)
        self._clients: set[ServerConnection] = set()
        self._news = asyncio.Condition()
        self._joins = 0
        self._server: Server | None = None

    async def __aenter__(self) -> IrcServer:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        """Return the port; it stays the same over stop() and start()."""
        return self._port

    @property
    def url(self) -> str:
        """Return the address to read from; it stays the same over stop() and start()."""
        return f"ws://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Listen, on the port of before if there was one."""
        self._server = await serve(self._talk, "127.0.0.1", self._port, compression=None, close_timeout=0.2)
        self._port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Close every connection properly and stop listening."""
        if self._server:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def joined(self, times: int = 1) -> None:
        """Wait until the channel was joined so many times since the server was made."""
        async with self._news, asyncio.timeout(20):
            await self._news.wait_for(lambda: self._joins >= times)

    async def heard(self, line: str, times: int = 1) -> None:
        """Wait until clients have sent this line so many times."""
        async with self._news, asyncio.timeout(20):
            await self._news.wait_for(lambda: self.received.count(line) >= times)

    async def say(
        self, text: str, user: str = "viewer", *, badges: str = "", user_id: str = "", message_id: str = "", **tags: str
    ) -> str:
        """Have somebody type a line; keywords become tags (``first_msg="1"`` is ``first-msg``); return its id."""
        message_id = message_id or f"id-{next(self._ids)}"
        await self.send(
            chat_line(self.channel, text, user, badges=badges, user_id=user_id, message_id=message_id, **tags)
        )
        return message_id

    async def delete(self, message_id: str) -> None:
        """Have a moderator delete one message."""
        await self.send(f"@target-msg-id={message_id};room-id={ROOM_ID} :tmi.twitch.tv CLEARMSG #{self.channel} :gone")

    async def ban(self, user: str, user_id: str = "") -> None:
        """Have a moderator ban somebody."""
        tags = f"@room-id={ROOM_ID};target-user-id={user_id or id_of(user)}"
        await self.send(f"{tags} :tmi.twitch.tv CLEARCHAT #{self.channel} :{user}")

    async def clear(self) -> None:
        """Have a moderator clear the chat."""
        await self.send(f"@room-id={ROOM_ID} :tmi.twitch.tv CLEARCHAT #{self.channel}")

    async def ping(self) -> None:
        """Ask every client whether it is there."""
        await self.send("PING :tmi.twitch.tv")

    async def reconnect(self) -> None:
        """Ask every client to come back on a new connection."""
        await self.send(":tmi.twitch.tv RECONNECT")

    async def send(self, *lines: str) -> None:
        """Send lines, in one frame, to every client."""
        await self.send_raw("".join(f"{line}\r\n" for line in lines))

    async def send_raw(self, frame: str | bytes) -> None:
        """Send a frame exactly as it is; whoever is just leaving misses it."""
        for client in tuple(self._clients):
            with suppress(ConnectionClosed):
                await client.send(frame, text=True if isinstance(frame, bytes) else None)

    async def reset(self) -> None:
        """Tear every connection down without a word, as a pulled cable or a crashed server does."""
        for client in tuple(self._clients):
            client.transport.abort()
            await client.wait_closed()

    async def _talk(self, client: ServerConnection) -> None:
        self.connections += 1
        self._clients.add(client)
        try:
            async for frame in client:
                for line in str(frame).split("\r\n"):
                    await self._answer(client, line)
                    await self._note(line)
        except ConnectionClosed:
            pass  # torn down by reset(), or by the client
        finally:
            self._clients.discard(client)

    async def _answer(self, client: ServerConnection, line: str) -> None:
        command, _, rest = line.partition(" ")
        if command == "CAP":
            await client.send(f":tmi.twitch.tv CAP * ACK {rest.partition(' ')[2]}\r\n")
        elif command == "NICK":
            await client.send("".join(f":tmi.twitch.tv {code} {rest} :{text}\r\n" for code, text in WELCOME))
        elif command == "PING" and self.answers_pings:
            await client.send(f":tmi.twitch.tv PONG tmi.twitch.tv {rest}\r\n")
        elif command == "JOIN" and rest == f"#{self.channel}" and self.confirms_joins:
            await self._confirm(client, rest)

    async def _confirm(self, client: ServerConnection, room: str) -> None:
        nick = "justinfan12345"
        await client.send(
            f":{nick}!{nick}@{nick}.tmi.twitch.tv JOIN {room}\r\n"
            f":{nick}.tmi.twitch.tv 353 {nick} = {room} :{nick}\r\n"
            f":{nick}.tmi.twitch.tv 366 {nick} {room} :End of /NAMES list\r\n"
            f"@emote-only=0;followers-only=-1;r9k=0;room-id={ROOM_ID};slow=0 :tmi.twitch.tv ROOMSTATE {room}\r\n"
        )
        self._joins += 1

    async def _note(self, line: str) -> None:
        async with self._news:
            self.received.append(line)
            self._news.notify_all()


WELCOME = (
    ("001", "Welcome, GLHF!"),
    ("002", "Your host is tmi.twitch.tv"),
    ("375", "-"),
    ("372", "Here."),
    ("376", ">"),
)


def id_of(user: str) -> str:
    """Return the user id that this server gives to a name."""
    return str(crc32(user.encode()))


def chat_line(
    channel: str, text: str, user: str, *, badges: str = "", user_id: str = "", message_id: str = "id-0", **tags: str
) -> str:
    """Build the line that one typed message becomes."""
    login = re.sub(r"[^a-z0-9_]", "", user.lower()) or "someone"
    all_tags = {
        "badge-info": "",
        "badges": badges,
        "color": "#1E90FF",
        "display-name": user,
        "emotes": "",
        "first-msg": "0",
        "id": message_id,
        "room-id": ROOM_ID,
        "tmi-sent-ts": "1760000000000",
        "user-id": user_id or id_of(user),
        "user-type": "",
    } | {name.replace("_", "-"): value for name, value in tags.items()}
    head = ";".join(f"{name}={escaped(value)}" for name, value in all_tags.items())
    return f"@{head} :{login}!{login}@{login}.tmi.twitch.tv PRIVMSG #{channel} :{text}"


def escaped(value: str) -> str:
    """Write a tag's value as the specification wants it."""
    pairs = {"\\": "\\\\", ";": "\\:", " ": "\\s", "\r": "\\r", "\n": "\\n"}
    return "".join(pairs.get(char, char) for char in value)
