"""Trigger source: one Twitch channel. Its chat needs no account; with a login its events arrive as well."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WebsocketUrl

from streamer.errors import ConfigError, TwitchError
from streamer.integrations.twitch.account import Account
from streamer.integrations.twitch.chat_merge import ChatMerger
from streamer.integrations.twitch.config import KNOWN_BOTS, SOURCE
from streamer.integrations.twitch.eventsub_client import EventSubClient
from streamer.integrations.twitch.eventsub_protocol import Notification
from streamer.integrations.twitch.follower_lookup import FollowerLookup
from streamer.integrations.twitch.irc_client import IrcClient
from streamer.integrations.twitch.reward_commands import RewardCommands
from streamer.integrations.twitch.subscriptions import (
    Feature,
    Subscription,
    needed_subscriptions,
    scopes_of_features,
)
from streamer.integrations.twitch.third_party_emotes import ThirdPartyEmotes
from streamer.integrations.twitch.timeouts import Timeouts
from streamer.integrations.twitch.tokens import AccessToken
from streamer.interfaces import Health, HealthState, Source, SourceEvent
from streamer.storage.people import NameList
from streamer.types import Notice, NoticeKind, Trigger

log = logging.getLogger(__name__)

MAX_QUEUED_EVENTS = 2000
DUE_CHECK_S = 0.1

_SHIELD = {True: NoticeKind.SHIELD_ON, False: NoticeKind.SHIELD_OFF}
_SHIELD_SCOPE = "moderator:read:shield_mode"
_FOLLOWERS_SCOPE = "moderator:read:followers"
_LOGIN = re.compile(r"[a-z0-9_]{3,25}")
_TWITCH_HOST = re.compile(r"(?:https?:)?(?://)?((?:[a-z0-9-]+\.)?twitch\.tv)\.?(?::\d+)?(?=[/?#]|$)", re.IGNORECASE)
_BEFORE_LOGIN = frozenset({"popout", "moderator", "embed", "u"})
"""Words before the login in addresses of a channel: twitch.tv/popout/NAME/chat, dashboard.twitch.tv/u/NAME."""
_NO_CHANNEL = frozenset({
    "bits", "clip", "collections", "dashboard", "directory", "downloads", "drops", "embed", "following", "friends",
    "inventory", "jobs", "login", "messages", "moderator", "popout", "prime", "privacy", "search", "settings", "signup",
    "store", "subscriptions", "team", "turbo", "videos", "wallet",
})  # fmt: skip
"""First words of addresses at Twitch that are pages and no channels."""
_OTHER_SITES = re.compile(r"youtube\.com|youtu\.be|kick\.com|trovo\.live|tiktok\.com|facebook\.com", re.IGNORECASE)


def login_of(channel: str | None) -> str:
    """Return the login in ``Name``, ``#name``, ``@name`` or any address of the channel; empty when none is given.

    The pop-out chat, the moderator view, the player, an embedded chat and the dashboard are addresses of it, too.
    """
    given = (channel or "").strip()
    host = _TWITCH_HOST.match(given)
    login = (_login_in(host[1].lower(), given[host.end() :]) if host else given.lstrip("#@")).lower()
    if (host and not login) or (login and not _LOGIN.fullmatch(login)):
        what = "is an address of another platform" if _OTHER_SITES.search(given) else "is not a Twitch channel"
        fix = "write the name from the channel's address, like channel: my_channel (a-z, 0-9 and _, 3 to 25 long)"
        raise ConfigError("channel", f"{given!r} {what}", fix=fix)
    return login


def _login_in(host: str, rest: str) -> str:
    """Return the login in what follows the host name of an address at Twitch; empty when it is no channel's page."""
    parts = urlsplit(rest)
    if host in ("player.twitch.tv", "embed.twitch.tv"):
        return parse_qs(parts.query).get("channel", [""])[0]
    if host == "clips.twitch.tv":
        return ""
    words = [unquote(word) for word in parts.path.split("/") if word]
    if len(words) > 1 and words[0].lower() in _BEFORE_LOGIN:
        # The page of the popped-out dashboard: twitch.tv/popout/u/NAME/stream-manager.
        return words[2] if words[1].lower() in _BEFORE_LOGIN and len(words) > 2 else words[1]
    return words[0] if words and words[0].lower() not in _NO_CHANNEL else ""


class Options(BaseModel):
    """Which channel to read, and whom to ignore."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: Annotated[str | None, AfterValidator(login_of)] = Field(
        None, description="name or address of the channel; left out: this source is off"
    )
    irc_url: WebsocketUrl = Field(
        WebsocketUrl("wss://irc-ws.chat.twitch.tv:443"),
        description="Twitch's chat server; change it only for tests and proxies",
    )
    ignore: tuple[str, ...] = Field(
        KNOWN_BOTS,
        description="chat bots whose lines are never commands: logins, ids or shown names; left out: well-known bots",
    )
    shared_chat: bool = Field(
        False, description="true: viewers of the partner's channel may ask too, as ordinary viewers"
    )
    events: tuple[Feature, ...] = Field(
        (Feature.SHIELD_MODE,),
        description="what to receive once logged in: shield_mode, follows, subscriptions, bits, automod",
    )
    followers: bool = Field(
        False, description="true: ask Twitch who follows, for commands with role: follower; needs a login"
    )


def scopes(options: Options) -> dict[str, str]:
    """Map each scope that a login must cover for these options to its feature."""
    if not options.channel:
        return {}
    followers = {_FOLLOWERS_SCOPE: "followers"} if options.followers else {}
    return scopes_of_features(options.events) | followers


def create(
    options: Options,
    twitch: Account | None = None,
    reward_commands: RewardCommands | None = None,
    config_file: str = "config.yaml",
) -> Source:
    """Build the source: without a channel it stays silent and says so, without a login it reads chat only."""
    if not options.channel:
        return NoChannel(config_file)
    login = None
    if twitch is not None and twitch.settings.client_id:
        followers = FollowerLookup(twitch.helix) if options.followers else None
        login = TwitchLogin(twitch, needed_subscriptions(twitch.needed_scopes), followers)
    emotes = None if twitch is None else ThirdPartyEmotes(twitch.settings.emotes, twitch.http, options.channel)
    return TwitchSource(options, login=login, emotes=emotes, reward_commands=reward_commands)


@dataclass(frozen=True, slots=True)
class TwitchLogin:
    """What a source has when an account is configured; ``followers`` is None when nobody is looked up."""

    account: Account
    subscriptions: tuple[Subscription, ...]
    followers: FollowerLookup | None = None


class NoChannel:
    """The source when no channel is set: it yields nothing."""

    def __init__(self, config_file: str) -> None:
        self._config_file = config_file

    async def listen(self) -> AsyncIterator[SourceEvent]:
        """End at once."""
        return
        yield

    def health(self) -> Health:
        """Say how to set a channel."""
        return Health(
            SOURCE,
            HealthState.OFF,
            f"no channel is set; write it under triggers in {self._config_file}, like channel: my_channel",
        )


class TwitchSource:
    """Both connections to one channel: IRC always, EventSub with a login.

    A trigger leaves here ready to use: without emote names, with its reward's command and its author's role.
    """

    def __init__(
        self,
        options: Options,
        *,
        login: TwitchLogin | None = None,
        emotes: ThirdPartyEmotes | None = None,
        reward_commands: RewardCommands | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        timeouts = timeouts or Timeouts()
        channel, ignore = options.channel or "", NameList(options.ignore)
        self._channel, self._login, self._emotes = channel, login, emotes
        self._reward_commands = reward_commands if reward_commands is not None else RewardCommands()
        self._chat = ChatMerger(
            channel, ignore=ignore, shared_chat=options.shared_chat, own_rewards=self._reward_commands
        )
        self._irc = IrcClient(str(options.irc_url), channel, self._chat, timeouts)
        self._events: EventSubClient | None = None
        if login is not None:
            self._events = EventSubClient(login.account, channel, login.subscriptions, self, timeouts)
        self._shielded = False
        self._out: asyncio.Queue[SourceEvent] = asyncio.Queue(MAX_QUEUED_EVENTS)

    def health(self) -> Health:
        """Say whether the channel is being read, which features are on and off, and why."""
        eventsub_reads = self._events is not None and self._events.reads_chat
        parts = [
            f"#{self._channel}",
            self._irc.detail(),
            self._events.detail() if self._events else "",
            f"{self._chat.malformed} messages could not be read" if self._chat.malformed else "",
        ]
        state = HealthState.READY if eventsub_reads else self._irc.state
        return Health(SOURCE, state, "; ".join(part for part in parts if part))

    async def listen(self) -> AsyncIterator[SourceEvent]:
        """Yield what happens, whichever connection reports it; never end."""
        tasks = self._start_tasks()
        next_event: asyncio.Task[SourceEvent] | None = None
        try:
            while True:
                next_event = asyncio.create_task(self._out.get(), name="twitch-next")
                await asyncio.wait([next_event, *tasks], return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    if task.done():
                        task.result()  # the tasks run for ever: only a bug ends one, and it ends the source
                yield next_event.result()
        finally:
            lookups = self._login.followers.tasks if self._login and self._login.followers else ()
            ending = [*tasks, *([next_event] if next_event else []), *lookups]
            for task in ending:
                task.cancel()
            await asyncio.gather(*ending, return_exceptions=True)

    async def on_notification(self, notification: Notification) -> None:
        """Take one event from EventSub."""
        events = self._chat.read_event(notification.kind, notification.event, notification.id, time.monotonic())
        for event in events:
            await self._emit(event)

    async def on_subscribed(self, access: AccessToken, channel_id: str) -> None:
        """Catch up after every fresh subscription: who we are, and whether Shield Mode is on."""
        self._chat.set_account(access.user_id, access.login)
        if self._login is None:
            return
        if self._login.followers is not None:
            self._login.followers.set_channel(channel_id)
        if _SHIELD_SCOPE not in access.scopes:
            return
        params = {"broadcaster_id": channel_id, "moderator_id": access.user_id}
        try:
            body = await self._login.account.helix.get("moderation/shield_mode", params)
        except TwitchError as error:
            log.info("twitch: shield mode is unknown: %s", error)
            return
        status: Mapping[str, object] = next(iter(body.get("data") or ()), {})
        await self._emit(Notice(SOURCE, _SHIELD[bool(status.get("is_active"))], time.monotonic()))

    def _start_tasks(self) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self._read_irc(), name="twitch-irc")]
        if self._events is not None:
            tasks.append(asyncio.create_task(self._events.run(), name="twitch-eventsub"))
            tasks.append(asyncio.create_task(self._watch_pending(self._events), name="twitch-pending"))
        if self._emotes is not None and self._emotes.enabled:
            tasks.append(asyncio.create_task(self._emotes.run(), name="emotes"))
        return tasks

    async def _read_irc(self) -> None:
        async for event in self._irc.listen():
            await self._emit(event)

    async def _watch_pending(self, eventsub: EventSubClient) -> None:
        """Emit the messages from IRC that EventSub has not delivered in time."""
        while True:
            self._chat.set_eventsub_reads(eventsub.reads_chat)
            for event in self._chat.due(time.monotonic()):
                await self._emit(event)
            await asyncio.sleep(DUE_CHECK_S)

    async def _emit(self, event: SourceEvent) -> None:
        if isinstance(event, Trigger):
            await self._emit_trigger(event)
        elif not isinstance(event, Notice) or self._track(event):
            await self._out.put(event)

    async def _emit_trigger(self, trigger: Trigger) -> None:
        cleaned = trigger if self._emotes is None else self._emotes.clean(trigger)
        resolved = self._reward_commands.resolve(cleaned)
        if resolved is None:
            return  # a reward of the streamer's own, which means nothing here
        if self._login is not None and self._login.followers is not None:
            await self._login.followers.pass_on(resolved, self._out)
        else:
            await self._out.put(resolved)

    def _track(self, notice: Notice) -> bool:
        """Remember what a notice says about the channel; False when it repeats the known state of Shield Mode."""
        if notice.kind in _SHIELD.values():
            # Asked anew after every loss, and only news if it changed meanwhile.
            changed = notice.kind is not _SHIELD[self._shielded]
            self._shielded = self._shielded != changed
            return changed
        if notice.kind is NoticeKind.FOLLOW and notice.actor and self._login and self._login.followers:
            self._login.followers.add(notice.actor.id, time.monotonic())
        return True
