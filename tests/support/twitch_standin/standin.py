"""All of Twitch in one value: start it, and have viewers, moderators and the streamer do things."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette

from tests.support.irc_server import ROOM_ID, IrcServer, chat_line
from tests.support.twitch_standin import payloads
from tests.support.twitch_standin.eventsub import EventSub
from tests.support.twitch_standin.faults import Faults
from tests.support.twitch_standin.grants import CLIENT_ID, Grants
from tests.support.twitch_standin.helix import Gate, Helix
from tests.support.twitch_standin.id_service import IdService
from tests.support.twitch_standin.people import User, World
from tests.support.twitch_standin.rewards import Redemption, Reward, Rewards
from tests.support.twitch_standin.speech import Speech
from tests.support.twitch_standin.subscriptions import Subscriptions

SCOPES = (
    "user:read:chat", "user:write:chat", "channel:read:redemptions", "channel:manage:redemptions", "bits:read",
    "channel:read:subscriptions", "moderator:read:followers", "moderator:read:shield_mode",
    "moderator:read:blocked_terms", "moderator:manage:automod",
)  # fmt: skip

_IRC_NAMES = {"community_sub_gift": "submysterygift", "sub_gift": "subgift"}


class Standin:
    """Four services on loopback addresses, with one world behind them."""

    def __init__(self) -> None:
        self.world = World()
        self.faults = Faults()
        self.grants = Grants()
        self.subscriptions = Subscriptions(self.world)
        self.eventsub = EventSub(self.subscriptions)
        self.gate = Gate(self.grants, self.faults)
        self.rewards = Rewards(self.gate, self.world)
        self.speech = Speech(self.gate, self.world)
        self.irc = IrcServer(self.world.broadcaster.login)
        helix = Helix(self.gate, self.world, self.eventsub, self.subscriptions)
        ids = IdService(self.grants, self.faults)
        routes = [*ids.routes(), *helix.routes(), *self.rewards.routes(), *self.speech.routes()]
        self._web = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="warning", lifespan="off"))
        self._web.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        self._numbers = itertools.count(1)
        self._port = 0

    @property
    def client_id(self) -> str:
        """Return the public client id that is registered here."""
        return CLIENT_ID

    @property
    def channel(self) -> User:
        """Return the streamer."""
        return self.world.broadcaster

    @property
    def id_url(self) -> str:
        """Return what stands for https://id.twitch.tv/oauth2"""
        return f"http://127.0.0.1:{self._port}/oauth2"

    @property
    def helix_url(self) -> str:
        """Return what stands for https://api.twitch.tv/helix"""
        return f"http://127.0.0.1:{self._port}/helix"

    @property
    def eventsub_url(self) -> str:
        """Return what stands for wss://eventsub.wss.twitch.tv/ws"""
        return self.eventsub.url

    @property
    def irc_url(self) -> str:
        """Return what stands for wss://irc-ws.chat.twitch.tv:443"""
        return self.irc.url

    async def __aenter__(self) -> Self:
        listening = socket.create_server(("127.0.0.1", 0))
        self._port = listening.getsockname()[1]
        self._serving = asyncio.create_task(self._web.serve([listening]))
        await self.eventsub.start()
        await self.irc.start()
        while not self._web.started:
            await asyncio.sleep(0.005)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._web.should_exit = self._web.force_exit = True
        await self.irc.stop()
        await self.eventsub.stop()
        await self._serving

    def tokens(self, *scopes: str, user: User | None = None) -> payloads.Json:
        """Hand out a pair as if somebody had logged in; the broadcaster with every scope unless said otherwise."""
        pair = self.grants.issue(user or self.channel, scopes or SCOPES)
        return {"access_token": pair.access, "refresh_token": pair.refresh, "scope": list(pair.scopes)}

    async def subscribed(self, *kinds: str) -> None:
        """Wait until every one of these kinds is subscribed to by an open session."""
        async with asyncio.timeout(20):
            while not set(kinds) <= {
                subscription.type for key in self.eventsub.sessions for subscription in self.subscriptions.of(key)
            }:
                await asyncio.sleep(0.01)

    def _subscribed_kinds(self) -> set[str]:
        sessions = self.eventsub.sessions
        return {subscription.type for key in sessions for subscription in self.subscriptions.of(key)}

    async def say(
        self, text: str, name: str = "viewer", *, worn: str = "", bits: int = 0, emotes: Sequence[str] = (),
        partner: str = "", message_id: str = "", reward_id: str = "", reply_to: str = "", first: bool = False,
        on: str = "both", message_type: str = "text", source_worn: str = "",
    ) -> str:  # fmt: skip
        """Have somebody type a line; ``worn`` are badges, ``on`` is both, eventsub or irc; return the message's id."""
        user, message_id = self.world.user(name), message_id or f"line-{next(self._numbers)}"
        room = self.world.user(partner) if partner else None
        if on != "irc":
            event = payloads.chat_message(
                self.channel, user, text, message_id, worn=worn, bits=bits, emotes=emotes, partner=room,
                reward_id=reward_id or None, reply_to=reply_to, message_type=message_type, source_worn=source_worn,
            )  # fmt: skip
            await self.eventsub.notify("channel.chat.message", event)
        if on != "eventsub":
            tags = {"bits": str(bits)} if bits else {}
            tags |= {"custom-reward-id": reward_id} if reward_id else {}
            tags |= {"reply-parent-msg-id": reply_to} if reply_to else {}
            tags |= {"source-room-id": room.id, "source-id": f"{message_id}-there"} if room else {}
            tags |= {"emotes": _places(text, emotes)} if emotes else {}
            line = chat_line(
                self.channel.login, text, user.name, badges=worn, user_id=user.id, message_id=message_id,
                **tags, first_msg=str(int(first)),
            )  # fmt: skip
            await self.irc.send(line)
        if bits:
            await self.eventsub.notify("channel.bits.use", payloads.bits_use(self.channel, user, bits, text))
            await self.eventsub.notify("channel.cheer", payloads.cheer(self.channel, user, bits, text))
        return message_id

    async def delete(self, message_id: str, name: str = "viewer", text: str = "gone") -> None:
        """Have a moderator delete one message."""
        event = {
            **self.channel.fields("broadcaster_user"), **self.world.user(name).fields("target_user"),
            "message_id": message_id,
        }  # fmt: skip
        await self.eventsub.notify("channel.chat.message_delete", event)
        await self.irc.delete(message_id)

    async def ban(self, name: str) -> None:
        """Have a moderator ban somebody, or time them out: chat shows the same."""
        user = self.world.user(name)
        event = {**self.channel.fields("broadcaster_user"), **user.fields("target_user")}
        await self.eventsub.notify("channel.chat.clear_user_messages", event)
        await self.irc.ban(user.login, user.id)

    async def clear(self) -> None:
        """Have a moderator clear the chat."""
        await self.eventsub.notify("channel.chat.clear", self.channel.fields("broadcaster_user"))
        await self.irc.clear()

    async def notice(self, kind: str, name: str, detail: payloads.Json, text: str = "", partner: str = "") -> str:
        """Have chat show a notification: ``kind`` is sub, resub, sub_gift, community_sub_gift, raid ..."""
        message_id, user = f"notice-{next(self._numbers)}", self.world.user(name)
        room = self.world.user(partner) if partner else None
        event = payloads.chat_notification(self.channel, user, kind, message_id, detail, text=text, partner=room)
        await self.eventsub.notify("channel.chat.notification", event)
        tags = f"@id={message_id};msg-id={_IRC_NAMES.get(kind, kind)};room-id={ROOM_ID};user-id={user.id}"
        tags += f";login={user.login};display-name={user.name};msg-param-viewerCount={detail.get('viewer_count', 0)}"
        tags += f";msg-param-cumulative-months={detail.get('cumulative_months', 1)}"
        tags += f";msg-param-mass-gift-count={detail.get('total', 0)}"
        await self.irc.send(f"{tags} :tmi.twitch.tv USERNOTICE #{self.channel.login}" + (f" :{text}" if text else ""))
        return message_id

    async def raid(self, name: str, viewers: int) -> None:
        """Have another channel come by: chat shows it, and channel.raid says it."""
        user = self.world.user(name)
        await self.eventsub.notify("channel.raid", payloads.raid(self.channel, user, viewers))
        detail = {**user.fields("user"), "viewer_count": viewers, "profile_image_url": ""}
        await self.notice("raid", name, detail)

    async def follow(self, name: str) -> None:
        """Have somebody follow."""
        user = self.world.user(name)
        self.world.followers.add(user.id)
        await self.eventsub.notify("channel.follow", payloads.follow(self.channel, user))

    async def subscribe(self, name: str) -> None:
        """Have somebody subscribe."""
        user = self.world.user(name)
        await self.eventsub.notify("channel.subscribe", payloads.subscribe(self.channel, user))
        await self.notice("sub", name, {"sub_tier": "1000", "is_prime": False, "duration_months": 1})

    async def resubscribe(self, name: str, months: int, text: str = "") -> None:
        """Have somebody share that they are still subscribed."""
        user = self.world.user(name)
        event = payloads.subscription_message(self.channel, user, months, text)
        await self.eventsub.notify("channel.subscription.message", event)
        detail = {
            "cumulative_months": months, "duration_months": 1, "streak_months": months, "sub_tier": "1000",
            "is_prime": False, "is_gift": False, "gifter_is_anonymous": None, "gifter_user_id": None,
            "gifter_user_name": None, "gifter_user_login": None,
        }  # fmt: skip
        await self.notice("resub", name, detail, text)

    async def gift(self, name: str, total: int) -> None:
        """Have somebody give subscriptions away."""
        user = self.world.user(name)
        await self.eventsub.notify("channel.subscription.gift", payloads.subscription_gift(self.channel, user, total))
        await self.notice(
            "community_sub_gift", name, {"id": "1", "total": total, "sub_tier": "1000", "cumulative_total": total}
        )

    async def go_live(self, live: bool = True) -> None:
        """Begin or end the stream."""
        self.world.live = live
        fields = {"id": "9001", **self.channel.fields("broadcaster_user")}
        await self.eventsub.notify(
            "stream.online" if live else "stream.offline", payloads.online(self.channel) if live else fields
        )

    async def shield(self, active: bool) -> None:
        """Switch shield mode."""
        self.world.shield = active
        kind = "channel.shield_mode.begin" if active else "channel.shield_mode.end"
        await self.eventsub.notify(kind, payloads.shield_mode(self.channel, active))

    async def share_chat(self, partner: str | None) -> None:
        """Begin a shared chat with somebody, or end it."""
        room = self.world.user(partner) if partner else self.world.shared_with or self.channel
        self.world.shared_with = room if partner else None
        kind = "channel.shared_chat.begin" if partner else "channel.shared_chat.end"
        event = payloads.shared_chat(self.channel, room, ended=partner is None)
        await self.eventsub.notify(kind, event)

    async def hold(self, text: str, name: str, message_id: str) -> None:
        """Have AutoMod hold a message back."""
        event = payloads.automod_hold(self.channel, self.world.user(name), text, message_id)
        await self.eventsub.notify("automod.message.hold", event)

    async def decide_hold(self, text: str, name: str, message_id: str, status: str) -> None:
        """Have a moderator decide about a held message; chat gets it when approved."""
        event = payloads.automod_update(self.channel, self.world.user(name), text, message_id, status)
        await self.eventsub.notify("automod.message.update", event)
        if status == "Approved":
            await self.say(text, name, message_id=message_id)

    async def redeem(self, reward: Reward, name: str, text: str = "", *, message_id: str = "") -> Redemption:
        """Have a viewer spend points; a reward that asks for text also puts it in chat, as Twitch does."""
        redemption = self.rewards.redeem(reward, self.world.user(name), text)
        event: dict[str, Any] = self.rewards.redeemed(redemption)
        event |= {"status": redemption.status.lower(), **self.channel.fields("broadcaster_user")}
        for name_of in ("broadcaster_id", "broadcaster_login", "broadcaster_name"):
            del event[name_of]
        if reward["is_user_input_required"]:
            await self.say(text, name, reward_id=reward.id)
        await self.eventsub.notify("channel.channel_points_custom_reward_redemption.add", event, message_id)
        return redemption


def _places(text: str, emotes: Sequence[str]) -> str:
    positions = []
    for number, emote in enumerate(emotes, 1):
        at = text.find(emote)
        if at >= 0:
            positions.append(f"{number}:{at}-{at + len(emote) - 1}")
    return "/".join(positions)
