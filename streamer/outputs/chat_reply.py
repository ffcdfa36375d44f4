"""Replies in Twitch chat: why a request was not drawn, that it was, and what !queue and !help say. Off by default."""

from __future__ import annotations

import asyncio
import logging
import time
from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from streamer.errors import LoginError, MissingScope, TwitchError
from streamer.integrations.twitch.account import Account
from streamer.integrations.twitch.config import KNOWN_BOTS
from streamer.integrations.twitch.helix import Helix
from streamer.integrations.twitch.replies import Reply, ReplyLimiter, ReplyOptions, ShownName, reply_to, silence_s
from streamer.integrations.twitch.tokens import LOGIN_HINT, AccessToken
from streamer.interfaces import Health, HealthState
from streamer.moderation.policy import Policy
from streamer.types import Event, Refused

log = logging.getLogger(__name__)

WRITE_SCOPE = "user:write:chat"
MAX_WAITING = 20
FAULT_S = 5.0
"""How long to stay silent after a failed call, in seconds."""


class Options(BaseModel):
    """What is said in chat, and how seldom."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    channel: str | None = Field(
        None, description="channel to reply in; null: the channel of the account that is logged in"
    )
    refusals: bool = Field(True, description="true: say why something was not drawn")
    drawn: bool = Field(True, description="true: say that something was drawn")
    answers: bool = Field(True, description="true: answer !queue and !help")
    silent: tuple[str, ...] = Field(
        ("ban", "cooldown"),
        description="rules whose refusals get no reply, so that a flood of requests causes no flood of replies",
    )
    link: str = Field(
        "",
        pattern=r"^(https://\S*\{id\}\S*)?$",
        description="https address where viewers find a picture, with {id} in it; empty: no link",
    )
    per_half_minute: int = Field(
        8, ge=1, le=15, description="replies in 30 seconds, at most 15; Twitch allows an ordinary account 20"
    )
    per_viewer_s: float = Field(30.0, ge=5, description="seconds between two replies to one viewer")
    stale_s: float = Field(10.0, gt=0, le=60, description="replies later than this are dropped")
    ignore: tuple[str, ...] = Field(
        KNOWN_BOTS, description="logins, ids or shown names that never get a reply; left out: well-known bots"
    )


def scopes(options: Options) -> Mapping[str, str]:
    """Map the scope that a login must cover to its feature."""
    return {WRITE_SCOPE: "chat replies"}


def create(options: Options, twitch: Account, policy: Policy) -> ChatReply:
    """Build the output."""
    return ChatReply(options, twitch, policy.shown_name)


@dataclass(frozen=True, slots=True)
class _WaitingReply:
    """A reply that waits for its turn; those who were accepted, and waited, are answered before who was refused."""

    is_refusal: bool
    since: float
    reply: Reply


class ChatReply:
    """Queue replies and send them one by one; a late reply is dropped, because it would only be noise."""

    def __init__(self, options: Options, twitch: Account, shown_name: ShownName) -> None:
        self._options, self._account, self._shown_name = options, twitch, shown_name
        self._reply_options = ReplyOptions(
            options.refusals, options.drawn, options.answers, frozenset(options.silent), options.link
        )  # fmt: skip
        self._limiter = ReplyLimiter(options.per_half_minute, options.per_viewer_s, options.ignore)
        # Never retried: a reply that comes twice, or after half a minute, is worse than none.
        self._helix = Helix(twitch.settings, twitch.tokens, twitch.http, pauses_s=())
        self._waiting: list[_WaitingReply] = []
        self._queued = asyncio.Event()
        self._channel_id = ""
        self._health = Health("chat replies", HealthState.CONNECTING)

    def health(self) -> Health:
        """Say whether replies are sent, and if not, why."""
        return self._health

    async def publish(self, event: Event) -> None:
        """Queue the reply to an event, if there is one."""
        if (reply := reply_to(event, self._reply_options, self._shown_name)) is not None:
            waiting = _WaitingReply(isinstance(event, Refused), time.monotonic(), reply)
            insort(self._waiting, waiting, key=lambda one: one.is_refusal)
            del self._waiting[MAX_WAITING:]
            self._queued.set()

    async def run(self) -> None:
        """Send the queued replies at the pace of the bucket."""
        self._set_health(HealthState.READY)
        while True:
            await self._queued.wait()
            self._queued.clear()
            while self._waiting:
                await asyncio.sleep(self._limiter.wait_s(time.monotonic()))
                waiting = self._waiting.pop(0)
                if time.monotonic() - waiting.since <= self._options.stale_s:
                    await asyncio.sleep(await self._answer(waiting.reply))

    async def _answer(self, reply: Reply) -> float:
        """Send one reply if it is allowed now; return how many seconds to stay silent afterwards."""
        try:
            access = await self._account.access_for(WRITE_SCOPE)
            if access is None:
                self._set_health(HealthState.OFF, f"needs a login with {WRITE_SCOPE}; {LOGIN_HINT}")
                return 0.0
            now = time.monotonic()
            if not self._limiter.may_answer(reply.actor, access.user_id, now):
                return 0.0
            self._limiter.take(reply.actor, now)
            async with asyncio.timeout(self._options.stale_s):
                return await self._send(reply, access)
        except (LoginError, MissingScope) as error:
            self._set_health(HealthState.OFF, str(error))
        except (TwitchError, TimeoutError) as error:
            self._set_health(HealthState.RECONNECTING, str(error) or "Twitch does not answer")
        return FAULT_S

    async def _send(self, reply: Reply, access: AccessToken) -> float:
        message = {
            "broadcaster_id": await self._look_up_channel(access),
            "sender_id": access.user_id,
            "message": reply.text,
            **({"reply_parent_message_id": reply.parent_id} if reply.parent_id else {}),
        }
        body = await self._helix.post("chat/messages", json=message)
        result: dict[str, Any] = next(iter(body.get("data", ())), {})
        if result.get("is_sent"):
            self._set_health(HealthState.READY)
            return 0.0
        # Twitch answers 200 even when it drops the message.
        drop_reason = result.get("drop_reason") or {}
        code, reason = str(drop_reason.get("code", "")), str(drop_reason.get("message", "no reason given"))
        silent_s = silence_s(code)
        self._set_health(HealthState.LIMITED, f"Twitch dropped a reply: {reason} ({code})")
        log.warning("chat replies: dropped: %s (%s), silent for %.0f s", reason, code, silent_s)
        return silent_s

    async def _look_up_channel(self, access: AccessToken) -> str:
        login = (self._options.channel or "").lstrip("#@").lower()
        if not login or login == access.login:
            return access.user_id
        if not self._channel_id:
            body = await self._helix.get("users", {"login": login})
            user = next(iter(body.get("data", ())), None)
            if user is None:
                fix = f"correct the channel of chat_reply in {self._account.config_file}"
                raise TwitchError(404, f"there is no channel '{login}'; {fix}")
            self._channel_id = str(user["id"])
        return self._channel_id

    def _set_health(self, state: HealthState, detail: str = "") -> None:
        self._health = Health("chat replies", state, detail)
