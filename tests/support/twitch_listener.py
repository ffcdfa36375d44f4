"""A source that listens to the stand-in on real sockets, and what it said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import WebsocketUrl

from streamer.integrations.twitch.account import Account
from streamer.integrations.twitch.config import TwitchConfig
from streamer.integrations.twitch.follower_lookup import FollowerLookup
from streamer.integrations.twitch.reward_commands import RewardCommands
from streamer.integrations.twitch.subscriptions import needed_subscriptions
from streamer.integrations.twitch.timeouts import Timeouts
from streamer.integrations.twitch.token_file import TokenPair
from streamer.interfaces import SourceEvent
from streamer.triggers.twitch import Options, TwitchLogin, TwitchSource
from streamer.types import Notice, NoticeKind, Trigger
from tests.support.twitch_standin.standin import SCOPES, Standin

HASTY = Timeouts(
    first_retry_s=0.01, longest_retry_s=0.05, first_subscribe_s=0.02, longest_subscribe_s=0.1, healthy_s=0.5
)
CHAT = "channel.chat.message"


class Ear:
    """A source being listened to, and what it said."""

    def __init__(self, source: TwitchSource, account: Account) -> None:
        self.source, self.account = source, account
        self.heard: list[SourceEvent] = []
        self._news = asyncio.Condition()

    async def listen(self) -> None:
        async for event in self.source.listen():
            async with self._news:
                self.heard.append(event)
                self._news.notify_all()

    async def until(self, fact: Callable[[], object]) -> None:
        async with asyncio.timeout(15):
            while not fact():
                await asyncio.sleep(0.01)

    def texts(self) -> list[str]:
        return [one.text for one in self.heard if isinstance(one, Trigger)]

    def kinds(self) -> list[NoticeKind]:
        return [one.kind for one in self.heard if isinstance(one, Notice)]

    async def says(self, text: str) -> Trigger:
        await self.until(lambda: text in self.texts())
        return next(one for one in self.heard if isinstance(one, Trigger) and one.text == text)

    async def reads_events(self) -> None:
        await self.until(lambda: "events on" in self.source.health().detail and self.source._events.reads_chat)  # type: ignore[union-attr]
        await self.until(lambda: self.source._chat._eventsub_reads)


@asynccontextmanager
async def listening(
    twitch: Standin,
    home: Path,
    *scopes: str,
    login: bool = True,
    followers: bool = False,
    reward_commands: RewardCommands | None = None,
) -> AsyncIterator[Ear]:
    settings = TwitchConfig(
        client_id=twitch.client_id, id_url=twitch.id_url, helix_url=twitch.helix_url, eventsub_url=twitch.eventsub_url
    )
    account = Account(home, settings, dict.fromkeys(SCOPES, "all"))
    if login:
        pair = twitch.tokens(*scopes)
        await account.tokens.store(
            TokenPair(
                twitch.client_id, pair["access_token"], pair["refresh_token"], tuple(pair["scope"]),
                twitch.channel.id, twitch.channel.login,
            )
        )  # fmt: skip
    options = Options(channel="harbour", irc_url=WebsocketUrl(twitch.irc_url), ignore=())
    lookup = FollowerLookup(account.helix) if followers else None
    logged_in = TwitchLogin(account, needed_subscriptions(account.needed_scopes), lookup)
    source = TwitchSource(options, login=logged_in, reward_commands=reward_commands, timeouts=HASTY)
    ear = Ear(source, account)
    patched = pytest.MonkeyPatch()
    patched.setattr("streamer.integrations.twitch.chat_merge.HOLD_S", 0.4)
    task = asyncio.create_task(ear.listen())
    try:
        await twitch.irc.joined()
        yield ear
        assert not task.done(), task.exception()
    finally:
        patched.undo()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await account.close()
