"""Trigger source: one Twitch channel. Its chat needs no account; with a login its events come too."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Container
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WebsocketUrl

from streamer.errors import ConfigError, TwitchError
from streamer.integrations.twitch.account import Account
from streamer.integrations.twitch.chat_merge import ChatMerger
from streamer.integrations.twitch.config import KNOWN_BOTS
from streamer.integrations.twitch.eventsub_client import EventSubClient
from streamer.integrations.twitch.eventsub_events import SOURCE
from streamer.integrations.twitch.eventsub_protocol import Notification
from streamer.integrations.twitch.follower_lookup import FollowerLookup
from streamer.integrations.twitch.irc_client import IrcClient
from streamer.integrations.twitch.subscriptions import Feature, Subscription, needed_subscriptions
from streamer.integrations.twitch.subscriptions import scopes as scopes_for
from streamer.integrations.twitch.timeouts import Timeouts
from streamer.integrations.twitch.tokens import AccessToken
from streamer.interfaces import Health, HealthState, Source, SourceEvent
from streamer.types import Notice, NoticeKind, Trigger

log = logging.getLogger(__name__)

BACKLOG = 2000
TICK_S = 0.1
_SHIELD = {True: NoticeKind.SHIELD_ON, False: NoticeKind.SHIELD_OFF}


class NoChannel:
    """The source when no channel is set: it has nothing to say."""

    async def listen(self) -> AsyncIterator[SourceEvent]:
        """End at once."""
        return
        yield

    def health(self) -> Health:
        """Say what to do about it."""
        return Health(
            SOURCE,
            HealthState.OFF,
            "no channel is set; write it under triggers in config.yaml, like channel: my_channel",
        )


class TwitchSource:
    """Both connections to one channel; without an account IRC alone."""

    def __init__(
        self,
        irc_url: str,
        channel: str,
        chat: ChatMerger,
        *,
        account: Account | None = None,
        wants: tuple[Subscription, ...] = (),
        followers: FollowerLookup | None = None,
        patience: Timeouts | None = None,
    ) -> None:
        patience = patience or Timeouts()
        self._channel, self._chat, self._account, self._followers = channel, chat, account, followers
        self._irc = IrcClient(irc_url, channel, chat, patience)
        self._events = EventSubClient(account, channel, wants, self._told, self._ready, patience) if account else None
        self._shielded = False
        self._out: asyncio.Queue[SourceEvent] = asyncio.Queue(BACKLOG)

    def health(self) -> Health:
        """Say whether the channel is being read, what is on and off, and why."""
        reads = self._events is not None and self._events.reads_chat
        parts = [
            f"#{self._channel}",
            "" if reads and not self._irc.detail() else self._irc.detail(),
            self._events.detail() if self._events else "",
            f"{self._chat.malformed} messages made no sense" if self._chat.malformed else "",
        ]
        return Health(
            SOURCE, HealthState.READY if reads else self._irc.state, "; ".join(part for part in parts if part)
        )

    async def listen(self) -> AsyncIterator[SourceEvent]:
        """Yield what happens, whichever connection tells it; never end."""
        tasks = [asyncio.create_task(self._read_irc(), name="twitch-irc")]
        if self._events is not None:
            tasks.append(asyncio.create_task(self._events.run(), name="twitch-eventsub"))
            tasks.append(asyncio.create_task(self._watch_held(), name="twitch-held"))
        getting: asyncio.Task[SourceEvent] | None = None
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

    async def _told(self, told: Notification) -> None:
        for happening in self._chat.hear(told.kind, told.event, told.id, time.monotonic()):
            await self._put(happening)

    async def _put(self, happening: SourceEvent) -> None:
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

    async def _ready(self, access: AccessToken, channel_id: str) -> None:
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


_ADDRESS = re.compile(r"(?:https?://)?(?:(?:www|m)\.)?twitch\.tv/([^/?#]+).*", re.IGNORECASE)
_LOGIN = re.compile(r"[a-z0-9_]{3,25}")


def login_of(channel: str | None) -> str:
    """Return the login behind ``Name``, ``#name``, ``@name`` or the channel's address; empty when none is given."""
    given = (channel or "").strip()
    address = _ADDRESS.fullmatch(given)
    login = (address[1] if address else given.lstrip("#@")).lower()
    if login and not _LOGIN.fullmatch(login):
        fix = "write the name from the channel's address, like channel: my_channel (a-z, 0-9 and _, 3 to 25 long)"
        raise ConfigError("channel", f"{given!r} is not the name of a Twitch channel", fix=fix)
    return login


class Options(BaseModel):
    """Which channel to read, and whom not to listen to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: Annotated[str | None, AfterValidator(login_of)] = Field(
        None, description="name or address; empty: not used"
    )
    irc_url: WebsocketUrl = Field(
        WebsocketUrl("wss://irc-ws.chat.twitch.tv:443"), description="Twitch's chat, or a stand-in for tests"
    )
    ignore: tuple[str, ...] = Field(
        KNOWN_BOTS,
        description="logins never listened to: bots that answer in chat",
    )
    shared_chat: bool = Field(False, description="listen to the partner channel's viewers during a shared chat")
    events: tuple[Feature, ...] = Field(
        (Feature.SHIELD_MODE,), description="what to hear of besides chat, once logged in"
    )
    followers: bool = Field(False, description="ask Twitch who follows, for commands with role: follower")


def scopes(options: Options) -> dict[str, str]:
    """Say what a login must cover for these options."""
    if not options.channel:
        return {}
    return scopes_for(options.events) | ({"moderator:read:followers": "followers"} if options.followers else {})


def create(options: Options, twitch: Account | None = None, offers: Container[str] = ()) -> Source:
    """Build the source; without a channel it says so and stays silent, without a login it reads chat alone."""
    if not options.channel:
        return NoChannel()
    if twitch is not None:
        twitch.emotes.of(options.channel)
    account = twitch if twitch is not None and twitch.settings.client_id else None
    ignore = frozenset(name.casefold() for name in options.ignore)
    chat = ChatMerger(options.channel, ignore=ignore, shared_chat=options.shared_chat, ours=offers)
    return TwitchSource(
        str(options.irc_url),
        options.channel,
        chat,
        account=account,
        wants=needed_subscriptions(account.wanted) if account else (),
        followers=FollowerLookup(account.helix) if account is not None and options.followers else None,
    )
