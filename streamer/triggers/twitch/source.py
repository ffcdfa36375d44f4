"""The Twitch source: chat by IRC with or without a login, everything else by EventSub, told as one stream."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator

from streamer.contracts import Happening, Health
from streamer.errors import TwitchError
from streamer.triggers.twitch.chat import Chat
from streamer.triggers.twitch.connection import TwitchChat
from streamer.triggers.twitch.events import SOURCE
from streamer.triggers.twitch.eventsub import EventSub
from streamer.triggers.twitch.followers import Followers
from streamer.triggers.twitch.patience import Patience
from streamer.triggers.twitch.protocol import Told
from streamer.triggers.twitch.wanted import Wanted
from streamer.twitch.account import Account
from streamer.twitch.tokens import Access
from streamer.types import Notice, NoticeKind, Trigger

log = logging.getLogger(__name__)

BACKLOG = 2000
TICK_S = 0.1
_SHIELD = {True: NoticeKind.SHIELD_ON, False: NoticeKind.SHIELD_OFF}


class Nowhere:
    """The source when no channel is set: it has nothing to say."""

    async def listen(self) -> AsyncIterator[Happening]:
        """End at once."""
        return
        yield

    def health(self) -> Health:
        """Say what to do about it."""
        return Health(
            SOURCE, "off", "no channel is set; write it under triggers in config.yaml, like channel: my_channel"
        )


class TwitchSource:
    """Both connections to one channel; without an account IRC alone."""

    def __init__(
        self, irc_url: str, channel: str, chat: Chat, *, account: Account | None = None, wants: tuple[Wanted, ...] = (),
        followers: Followers | None = None, patience: Patience | None = None,
    ) -> None:  # fmt: skip
        patience = patience or Patience()
        self._channel, self._chat, self._account, self._followers = channel, chat, account, followers
        self._irc = TwitchChat(irc_url, channel, chat, patience)
        self._events = EventSub(account, channel, wants, self._told, self._ready, patience) if account else None
        self._shielded = False
        self._out: asyncio.Queue[Happening] = asyncio.Queue(BACKLOG)

    def health(self) -> Health:
        """Say whether the channel is being read, what is on and off, and why."""
        reads = self._events is not None and self._events.reads_chat
        parts = [
            f"#{self._channel}",
            "" if reads and not self._irc.detail() else self._irc.detail(),
            self._events.detail() if self._events else "",
            f"{self._chat.malformed} messages made no sense" if self._chat.malformed else "",
        ]
        return Health(SOURCE, "ready" if reads else self._irc.state, "; ".join(part for part in parts if part))

    async def listen(self) -> AsyncIterator[Happening]:
        """Yield what happens, whichever connection tells it; never end."""
        tasks = [asyncio.create_task(self._read_irc(), name="twitch-irc")]
        if self._events is not None:
            tasks.append(asyncio.create_task(self._events.run(), name="twitch-eventsub"))
            tasks.append(asyncio.create_task(self._watch_held(), name="twitch-held"))
        getting: asyncio.Task[Happening] | None = None
        try:
            while True:
                getting = asyncio.create_task(self._out.get(), name="twitch-next")
                await asyncio.wait([getting, *tasks], return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    if task.done():
                        task.result()  # these run for ever: whatever ended one is a bug, and ends the source
                yield getting.result()
        finally:
            ending = [*tasks, *([getting] if getting else []), *(self._followers.tasks if self._followers else ())]
            for one in ending:
                one.cancel()
            await asyncio.gather(*ending, return_exceptions=True)

    async def _read_irc(self) -> None:
        async for happening in self._irc.listen():
            await self._put(happening)

    async def _watch_held(self) -> None:
        """In: the clock. Out: lines of IRC that EventSub has not told in time."""
        assert self._events is not None
        while True:
            self._chat.lean_on_eventsub(self._events.reads_chat)
            for happening in self._chat.due(time.monotonic()):
                await self._put(happening)
            await asyncio.sleep(TICK_S)

    async def _told(self, told: Told) -> None:
        for happening in self._chat.hear(told.kind, told.event, told.id, time.monotonic()):
            await self._put(happening)

    async def _put(self, happening: Happening) -> None:
        if isinstance(happening, Notice) and happening.kind in _SHIELD.values():
            if happening.kind is _SHIELD[self._shielded]:
                return  # known already: what is asked after every loss is news only when it has changed meanwhile
            self._shielded = not self._shielded
        if self._followers is None:
            await self._out.put(happening)
            return
        if isinstance(happening, Notice) and happening.kind is NoticeKind.FOLLOW and happening.actor:
            self._followers.saw(happening.actor.id, time.monotonic())
        if isinstance(happening, Trigger):
            await self._followers.pass_on(happening, self._out)
        else:
            await self._out.put(happening)

    async def _ready(self, access: Access, channel_id: str) -> None:
        """Catch up after every fresh start: who we are, and whether shield mode is on."""
        self._chat.account(access.user_id, access.login)
        if self._followers is not None:
            self._followers.channel(channel_id)
        if self._account is None or "moderator:read:shield_mode" not in access.scopes:
            return
        asked = {"broadcaster_id": channel_id, "moderator_id": access.user_id}
        try:
            found = (await self._account.helix.get("moderation/shield_mode", asked)).get("data") or [{}]
        except TwitchError as error:
            log.info("twitch: shield mode is not known: %s", error)
            return
        await self._put(Notice(SOURCE, _SHIELD[bool(found[0].get("is_active"))], time.monotonic()))
