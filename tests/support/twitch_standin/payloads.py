"""EventSub events as Twitch writes them, built from who did what.

https://dev.twitch.tv/docs/eventsub/eventsub-reference/
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.support.twitch_standin.people import User

Json = dict[str, Any]


def badges(worn: str) -> list[Json]:
    """Turn ``moderator/1,subscriber/12`` into EventSub's list."""
    pairs = (badge.partition("/") for badge in worn.split(",") if badge)
    return [
        {"set_id": name, "id": version, "info": version if name == "subscriber" else ""} for name, _, version in pairs
    ]


def fragments(text: str, emotes: Sequence[str] = (), bits: int = 0) -> list[Json]:
    """Cut a text into fragments: the given emotes, cheermotes while there are bits, mentions, and text."""
    parts: list[Json] = []
    for piece in re.split(r"(\s+)", text):
        cheer = re.fullmatch(r"([A-Za-z]+)(\d+)", piece) if bits else None
        if piece in emotes and piece:
            emote = {"id": str(len(piece)), "emote_set_id": "1", "owner_id": "1", "format": ["static"]}
            parts.append(_fragment("emote", piece, emote=emote))
        elif cheer:
            cheermote = {"prefix": cheer[1], "bits": int(cheer[2]), "tier": 1}
            parts.append(_fragment("cheermote", piece, cheermote=cheermote))
        elif re.fullmatch(r"@\w+", piece):
            parts.append(_fragment("mention", piece, mention={"user_id": "5", "user_login": "x", "user_name": "X"}))
        elif parts and parts[-1]["type"] == "text":
            parts[-1]["text"] += piece
        elif piece:
            parts.append(_fragment("text", piece))
    return parts


def _fragment(kind: str, text: str, **more: Json) -> Json:
    return {"type": kind, "text": text, "cheermote": None, "emote": None, "mention": None, **more}


def chat_message(
    channel: User, chatter: User, text: str, message_id: str, *, worn: str = "", bits: int = 0,
    emotes: Sequence[str] = (), partner: User | None = None, source_worn: str = "", reward_id: str | None = None,
    reply_to: str = "", message_type: str = "text",
) -> Json:  # fmt: skip
    """Write ``channel.chat.message``; ``partner`` is the room it was typed in during a shared chat."""
    return {
        **channel.fields("broadcaster_user"),
        **chatter.fields("chatter_user"),
        "message_id": message_id,
        "message": {"text": text, "fragments": fragments(text, emotes, bits)},
        "message_type": message_type,
        "badges": badges(worn),
        "cheer": {"bits": bits} if bits else None,
        "color": "#1E90FF",
        "reply": _reply(channel, reply_to) if reply_to else None,
        "channel_points_custom_reward_id": reward_id,
        "channel_points_animation_id": None,
        "source_broadcaster_user_id": partner.id if partner else None,
        "source_broadcaster_user_login": partner.login if partner else None,
        "source_broadcaster_user_name": partner.name if partner else None,
        "source_message_id": f"{message_id}-there" if partner else None,
        "source_badges": badges(source_worn) if partner else None,
        "is_source_only": False if partner else None,
    }


def _reply(parent: User, message_id: str) -> Json:
    return {
        "parent_message_id": message_id, "parent_message_body": "earlier", **parent.fields("parent_user"),
        "thread_message_id": message_id, **parent.fields("thread_user"),
    }  # fmt: skip


NOTICES = (
    "watch_streak", "modiversary", "shared_chat_modiversary",
    "sub", "resub", "sub_gift", "community_sub_gift", "gift_paid_upgrade", "prime_paid_upgrade", "raid", "unraid",
    "pay_it_forward", "announcement", "bits_badge_tier", "charity_donation", "shared_chat_sub", "shared_chat_resub",
    "shared_chat_sub_gift", "shared_chat_community_sub_gift", "shared_chat_gift_paid_upgrade",
    "shared_chat_prime_paid_upgrade", "shared_chat_raid", "shared_chat_pay_it_forward", "shared_chat_announcement",
)  # fmt: skip


def chat_notification(
    channel: User, chatter: User, notice: str, message_id: str, detail: Mapping[str, Any], *, text: str = "",
    worn: str = "", partner: User | None = None,
) -> Json:  # fmt: skip
    """Write ``channel.chat.notification``: ``notice`` is sub, raid ... and ``detail`` what stands under that name."""
    return {
        **channel.fields("broadcaster_user"),
        **chatter.fields("chatter_user"),
        "chatter_is_anonymous": False,
        "color": "#1E90FF",
        "badges": badges(worn),
        "system_message": f"{chatter.name}: {notice}",
        "message_id": message_id,
        "message": {"text": text, "fragments": fragments(text)},
        "notice_type": notice,
        **dict.fromkeys(NOTICES),
        notice: dict(detail),
        "source_broadcaster_user_id": partner.id if partner else None,
        "source_broadcaster_user_login": partner.login if partner else None,
        "source_broadcaster_user_name": partner.name if partner else None,
        "source_message_id": f"{message_id}-there" if partner else None,
        "source_badges": [] if partner else None,
    }


def raid(channel: User, raider: User, viewers: int) -> Json:
    """Write ``channel.raid``."""
    return {
        **raider.fields("from_broadcaster_user"), **channel.fields("to_broadcaster_user"), "viewers": viewers,
    }  # fmt: skip


def bits_use(channel: User, user: User, bits: int, text: str, kind: str = "cheer") -> Json:
    """Write ``channel.bits.use``; a power-up has no message."""
    message = {"text": text, "fragments": fragments(text, bits=bits)} if text else None
    return {
        **channel.fields("broadcaster_user"), **user.fields("user"), "bits": bits, "type": kind, "message": message,
        "power_up": None, "custom_power_up": None,
    }  # fmt: skip


def cheer(channel: User, user: User, bits: int, text: str) -> Json:
    """Write ``channel.cheer``."""
    return {
        **channel.fields("broadcaster_user"), **user.fields("user"), "bits": bits, "message": text,
        "is_anonymous": False,
    }  # fmt: skip


def subscribe(channel: User, user: User, is_gift: bool = False) -> Json:
    """Write ``channel.subscribe``."""
    return {**channel.fields("broadcaster_user"), **user.fields("user"), "tier": "1000", "is_gift": is_gift}


def subscription_message(channel: User, user: User, months: int, text: str) -> Json:
    """Write ``channel.subscription.message``: a resub that was shared."""
    return {
        **channel.fields("broadcaster_user"), **user.fields("user"), "tier": "1000",
        "message": {"text": text, "emotes": None}, "cumulative_months": months, "streak_months": months,
        "duration_months": 1,
    }  # fmt: skip


def subscription_gift(channel: User, user: User, total: int) -> Json:
    """Write ``channel.subscription.gift``."""
    return {
        **channel.fields("broadcaster_user"), **user.fields("user"), "total": total, "tier": "1000",
        "cumulative_total": total, "is_anonymous": False,
    }  # fmt: skip


def follow(channel: User, user: User) -> Json:
    """Write ``channel.follow``."""
    return {**channel.fields("broadcaster_user"), **user.fields("user"), "followed_at": stamp()}


def online(channel: User) -> Json:
    """Write ``stream.online``."""
    return {**channel.fields("broadcaster_user"), "id": "9001", "type": "live", "started_at": stamp()}


def shield_mode(channel: User, active: bool) -> Json:
    """Write ``channel.shield_mode.begin`` or ``end``."""
    when = {"started_at": stamp()} if active else {"ended_at": stamp()}
    return {**channel.fields("broadcaster_user"), **channel.fields("moderator_user"), **when}


def shared_chat(channel: User, partner: User, *, ended: bool = False) -> Json:
    """Write ``channel.shared_chat.begin``, ``update`` or ``end``."""
    both = [channel.fields("broadcaster_user"), partner.fields("broadcaster_user")]
    head = {"session_id": "shared-1", **channel.fields("broadcaster_user"), **channel.fields("host_broadcaster_user")}
    return head if ended else {**head, "participants": both}


def automod_hold(channel: User, user: User, text: str, message_id: str) -> Json:
    """Write ``automod.message.hold`` version 2."""
    return {
        **channel.fields("broadcaster_user"), **user.fields("user"), "message_id": message_id,
        "message": {"text": text, "fragments": fragments(text)}, "held_at": stamp(), "reason": "automod",
        "automod": {"category": "swearing", "level": 3, "boundaries": []}, "blocked_term": None,
    }  # fmt: skip


def automod_update(channel: User, user: User, text: str, message_id: str, status: str) -> Json:
    """Write ``automod.message.update`` version 2: Approved, Denied or Expired."""
    return {**automod_hold(channel, user, text, message_id), **channel.fields("moderator_user"), "status": status}


def automatic_redemption(channel: User, user: User, kind: str, text: str) -> Json:
    """Write ``channel.channel_points_automatic_reward_redemption.add`` version 2."""
    return {
        **channel.fields("broadcaster_user"), **user.fields("user"), "id": "auto-1",
        "reward": {"type": kind, "channel_points": 100, "emote": None},
        "message": {"text": text, "fragments": fragments(text)}, "redeemed_at": stamp(),
    }  # fmt: skip


def stamp() -> str:
    """Return now, with the nine digits that Twitch writes."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "123Z"
