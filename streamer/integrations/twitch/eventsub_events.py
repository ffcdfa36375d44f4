"""Turns Twitch's events, field by field, into notices and retractions. No sockets, no clock, no state.

https://dev.twitch.tv/docs/eventsub/eventsub-subscription-types/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from streamer.integrations.twitch.chat_message import parse_count, required_id
from streamer.integrations.twitch.config import SOURCE
from streamer.integrations.twitch.irc_message import IrcMessage
from streamer.text import clean
from streamer.types import Actor, Notice, NoticeKind, Retraction, Role

Event = Mapping[str, Any]


def retraction(kind: str, event: Event, now: float) -> Retraction | None:
    """Parse a retraction; None for other events, ValueError or KeyError when it is malformed."""
    if kind == "channel.chat.message_delete":
        return Retraction(SOURCE, required_id(event["message_id"]), None, now)
    if kind == "channel.chat.clear_user_messages":
        return Retraction(SOURCE, None, required_id(event["target_user_id"]), now)
    if kind == "channel.chat.clear":
        return Retraction(SOURCE, None, None, now)
    if kind == "automod.message.update" and str(event["status"]).lower() in ("denied", "expired"):
        return Retraction(SOURCE, required_id(event["message_id"]), None, now)
    return None


def notice(kind: str, event: Event, now: float) -> Notice | None:
    """Parse a notice; None for events that are not one."""
    build = _NOTICES.get(kind)
    return build(event, now) if build else None


def _actor(event: Event, prefix: str = "user") -> Actor:
    login = str(event[f"{prefix}_login"])
    name = clean(str(event.get(f"{prefix}_name") or "")) or login
    return Actor(required_id(event[f"{prefix}_id"]), name, Role.VIEWER, login)


def _raid(event: Event, now: float) -> Notice:
    raider = _actor(event, "from_broadcaster_user")
    return Notice(SOURCE, NoticeKind.RAID, now, raider, int(event["viewers"]))


def _subscribe(event: Event, now: float) -> Notice | None:
    # The giver's event reports a gift.
    return None if event.get("is_gift") else Notice(SOURCE, NoticeKind.SUBSCRIPTION, now, _actor(event), 1)


def _resubscribe(event: Event, now: float) -> Notice:
    text = str((event.get("message") or {}).get("text", ""))
    return Notice(SOURCE, NoticeKind.SUBSCRIPTION, now, _actor(event), int(event["cumulative_months"]), text)


def _gift(event: Event, now: float) -> Notice:
    giver = None if event.get("is_anonymous") else _actor(event)
    return Notice(SOURCE, NoticeKind.GIFT, now, giver, int(event["total"]))


def _bits(event: Event, now: float) -> Notice:
    user = _actor(event) if event.get("user_id") else None
    message = event.get("message")
    text = str(message.get("text", "")) if isinstance(message, Mapping) else str(message or "")
    return Notice(SOURCE, NoticeKind.CHEER, now, user, int(event["bits"]), text)


def _shown_in_chat(event: Event, now: float) -> Notice | None:
    """Parse ``channel.chat.notification``; None for what the partner channel of a shared chat celebrates."""
    source_channel_id = event.get("source_broadcaster_user_id")
    if source_channel_id not in (None, event["broadcaster_user_id"]):
        return None
    kind = str(event["notice_type"])
    detail, chatter = event.get(kind) or {}, _actor(event, "chatter_user")
    text = str((event.get("message") or {}).get("text", ""))
    if kind == "raid":
        return Notice(SOURCE, NoticeKind.RAID, now, _actor(detail), int(detail["viewer_count"]))
    if kind in ("sub", "resub"):
        months = int(detail.get("cumulative_months") or 1)
        return Notice(SOURCE, NoticeKind.SUBSCRIPTION, now, chatter, months, text)
    giver = None if event.get("chatter_is_anonymous") else chatter
    if kind == "community_sub_gift":
        return Notice(SOURCE, NoticeKind.GIFT, now, giver, int(detail["total"]))
    if kind == "sub_gift" and not detail.get("community_gift_id"):
        return Notice(SOURCE, NoticeKind.GIFT, now, giver, 1)
    return None


def from_usernotice(message: IrcMessage, now: float) -> Notice | None:
    """Parse IRC's USERNOTICE, which carries the same notices in tags."""
    tags = message.tags
    kind, user_id = tags.get("msg-id", ""), tags.get("user-id", "")
    if not user_id or tags.get("source-room-id", tags.get("room-id")) != tags.get("room-id"):
        return None
    login = tags.get("msg-param-login") or tags.get("login", "")
    name = clean(tags.get("msg-param-displayName") or tags.get("display-name", "")) or login
    chatter = Actor(user_id, name, Role.VIEWER, login)
    text = message.text if len(message.params) > 1 else ""
    if kind == "raid":
        return Notice(SOURCE, NoticeKind.RAID, now, chatter, parse_count(tags.get("msg-param-viewerCount", "")))
    if kind in ("sub", "resub"):
        months = parse_count(tags.get("msg-param-cumulative-months", "")) or 1
        return Notice(SOURCE, NoticeKind.SUBSCRIPTION, now, chatter, months, text)
    if kind == "submysterygift":
        return Notice(SOURCE, NoticeKind.GIFT, now, chatter, parse_count(tags.get("msg-param-mass-gift-count", "")))
    if kind == "subgift" and "msg-param-community-gift-id" not in tags:
        return Notice(SOURCE, NoticeKind.GIFT, now, chatter, 1)
    return None


def _plain(kind: NoticeKind) -> Callable[[Event, float], Notice]:
    return lambda event, now: Notice(SOURCE, kind, now)


_NOTICES: Mapping[str, Callable[[Event, float], Notice | None]] = {
    "channel.raid": _raid,
    "channel.subscribe": _subscribe,
    "channel.subscription.message": _resubscribe,
    "channel.subscription.gift": _gift,
    "channel.bits.use": _bits,
    "channel.cheer": _bits,
    "channel.chat.notification": _shown_in_chat,
    "channel.follow": lambda event, now: Notice(SOURCE, NoticeKind.FOLLOW, now, _actor(event)),
    "stream.online": _plain(NoticeKind.ONLINE),
    "stream.offline": _plain(NoticeKind.OFFLINE),
    "channel.shield_mode.begin": _plain(NoticeKind.SHIELD_ON),
    "channel.shield_mode.end": _plain(NoticeKind.SHIELD_OFF),
    "channel.shared_chat.begin": _plain(NoticeKind.SHARED_CHAT_ON),
    "channel.shared_chat.end": _plain(NoticeKind.SHARED_CHAT_OFF),
}
