"""A source that reads the stand-in over real sockets, and the events it yielded."""

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


class SourceListener:
    """A source being listened to, and the events it yielded."""

    def __init__(self, source: TwitchSource, account: Account) -> None:
        self.source, self.account = source, account
        self.events: list[SourceEvent] = []
        self._news = asyncio.Condition()

    async def listen(self) -> None:
        async for event in self.source.listen():
            async with self._news:
                self.events.append(event)
                self._news.notify_all()

    async def until(self, fact: Callable[[], object]) -> None:
        async with asyncio.timeout(15):
            while not fact():
                await asyncio.sleep(0.01)

    def texts(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Trigger)]

    def kinds(self) -> list[NoticeKind]:
        return [event.kind for event in self.events if isinstance(event, Notice)]

    async def wait_for(self, text: str) -> Trigger:
        await self.until(lambda: text in self.texts())
        return next(event for event in self.events if isinstance(event, Trigger) and event.text == text)

    async def wait_for_eventsub(self) -> None:
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
) -> AsyncIterator[SourceListener]:
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
    listener = SourceListener(source, account)
    patched = pytest.MonkeyPatch()
    patched.setattr("streamer.integrations.twitch.chat_merge.HOLD_S", 0.4)
    task = asyncio.create_task(listener.listen())
    try:
        await twitch.irc.joined()
        yield listener
        assert not task.done(), task.exception()
    finally:
        patched.undo()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await account.close()
