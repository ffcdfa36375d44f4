"""One chat message, parsed from IRC tags or from an EventSub event. No sockets, no clock."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from streamer.integrations.twitch.irc_message import IrcMessage
from streamer.lru import LruDict
from streamer.types import Role

CACHED_ROLES = 20_000

_ACTION = "\x01ACTION "
_CHEERMOTE = re.compile(r"[A-Za-z][A-Za-z0-9]*?([1-9]\d{0,6})")

# A lead moderator is a moderator (a badge of its own since late 2025). Staff, admins and global moderators stay
# viewers: their badges say nothing about what the channel's owner trusts them with. Followers wear no badge.
_ROLES = {
    "broadcaster": Role.BROADCASTER,
    "moderator": Role.MODERATOR,
    "lead_moderator": Role.MODERATOR,
    "vip": Role.VIP,
    "subscriber": Role.SUBSCRIBER,
    "founder": Role.SUBSCRIBER,
}


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """``raw_text`` is the text as typed, ``text`` the same without emotes and cheermotes.

    ``from_partner``: typed in another room during a shared chat. ``reward_id``: the channel-point reward it redeems.
    """

    id: str
    user_id: str
    login: str
    display_name: str
    badges: tuple[str, ...]
    raw_text: str
    text: str
    bits: int = 0
    is_reply: bool = False
    from_partner: bool = False
    reward_id: str = ""
    first_time: bool = False


class RoleCache:
    """Roles by user id, as last seen in chat, for events that carry no badges, such as redemptions."""

    def __init__(self) -> None:
        self._roles: LruDict[str, Role] = LruDict(CACHED_ROLES)

    def put(self, user_id: str, role: Role) -> None:
        """Store the role that a user's badges gave."""
        self._roles.put(user_id, role)

    def get(self, user_id: str) -> Role:
        """Return the role a user was last seen with; a user never seen is a viewer."""
        return self._roles.get(user_id) or Role.VIEWER


def from_irc(message: IrcMessage) -> ChatMessage | None:
    """Parse a PRIVMSG; None when it is malformed."""
    tags = message.tags
    message_id, user_id, bits = tags.get("id"), tags.get("user-id"), parse_count(tags.get("bits", ""))
    if not (message_id and user_id and message.nick and len(message.params) == 2):
        return None
    raw_text = _without_action(message.text)
    return ChatMessage(
        id=message_id,
        user_id=user_id,
        login=message.nick,
        display_name=tags.get("display-name", ""),
        badges=tuple(badge.partition("/")[0] for badge in tags.get("badges", "").split(",")),
        raw_text=raw_text,
        text=without_cheermotes(without_emotes(raw_text, tags.get("emotes", "")), bits),
        bits=bits,
        is_reply="reply-parent-msg-id" in tags,
        from_partner=tags.get("source-room-id", tags.get("room-id")) != tags.get("room-id"),
        reward_id=tags.get("custom-reward-id", ""),
        first_time=tags.get("first-msg") == "1",
    )


def from_event(event: Mapping[str, Any]) -> ChatMessage:
    """Parse a ``channel.chat.message`` event; KeyError, TypeError or ValueError when it is malformed."""
    message, source_channel_id = event["message"], event.get("source_broadcaster_user_id")
    raw_text = _without_action(str(message["text"]))
    return ChatMessage(
        id=required_id(event["message_id"]),
        user_id=required_id(event["chatter_user_id"]),
        login=str(event["chatter_user_login"]),
        display_name=str(event["chatter_user_name"]),
        badges=tuple(str(badge["set_id"]) for badge in event.get("badges") or ()),
        raw_text=raw_text,
        text=text_of(message["fragments"]) if message.get("fragments") else raw_text,
        bits=int((event.get("cheer") or {}).get("bits", 0)),
        is_reply=bool(event.get("reply")),
        from_partner=source_channel_id not in (None, event["broadcaster_user_id"]),
        reward_id=str(event.get("channel_points_custom_reward_id") or ""),
    )


def required_id(value: object) -> str:
    """Return an id that must be there; ValueError when it is missing."""
    if not isinstance(value, str) or not value:
        raise ValueError("an id is missing")
    return value


def parse_count(digits: str) -> int:
    """Parse a numeric tag; 0 when it is not a number."""
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else 0


def role_of(badges: Iterable[str]) -> Role:
    """Return the highest role that the badge names give."""
    return max((_ROLES.get(name, Role.VIEWER) for name in badges), default=Role.VIEWER)


def text_of(fragments: Sequence[Mapping[str, Any]]) -> str:
    """Join the fragments that are text: drops emotes and cheermotes, keeps fragment types that are unknown."""
    text = (str(fragment["text"]) for fragment in fragments if fragment["type"] not in ("emote", "cheermote"))
    return _without_action("".join(text))


def without_emotes(text: str, emotes: str) -> str:
    """Cut out emotes by the positions in a tag like ``25:0-4,12-16/1902:6-10``, which count code points."""
    kept, end = [], 0
    # No more emotes than characters, whatever the tag says.
    for first, last in sorted(islice(_emote_positions(emotes), len(text))):
        kept.append(text[end:first])
        end = max(end, last + 1)
    return "".join((*kept, text[end:]))


def without_cheermotes(text: str, bits: int) -> str:
    """Cut out words like ``Cheer100`` while their sum stays within the bits that were cheered."""
    if bits <= 0:
        return text
    words = text.split(" ")
    cheermotes = [(int(match[1]), index) for index, word in enumerate(words) if (match := _CHEERMOTE.fullmatch(word))]
    for amount, index in sorted(cheermotes, reverse=True):
        if amount <= bits:
            bits -= amount
            words[index] = ""
    return " ".join(word for word in words if word)


def _without_action(text: str) -> str:
    """Strip the envelope of ``/me``."""
    return text[len(_ACTION) :].rstrip("\x01") if text.startswith(_ACTION) else text


def _emote_positions(emotes: str) -> Iterator[tuple[int, int]]:
    for match in re.finditer(r"(\d{1,4})-(\d{1,4})", emotes):
        yield int(match[1]), int(match[2])
