"""One typed line of chat, read from IRC's tags or from EventSub's fields. No sockets, no clock."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streamer.integrations.twitch.irc_message import IrcMessage
from streamer.lru import LruDict
from streamer.types import Role

_ACTION = "\x01ACTION "
_CHEERMOTE = re.compile(r"[A-Za-z][A-Za-z0-9]*?([1-9]\d{0,6})")


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """Who typed what: ``said`` is the text as typed, ``text`` the same without emotes and cheermotes.

    ``partner``: typed in another room during a shared chat. ``reward_id``: points were spent on it.
    """

    id: str
    user_id: str
    login: str
    name: str
    badges: tuple[str, ...]
    said: str
    text: str
    bits: int = 0
    reply: bool = False
    partner: bool = False
    reward_id: str = ""
    first_time: bool = False


def from_irc(message: IrcMessage) -> ChatMessage | None:
    """Read a PRIVMSG; None when it makes no sense."""
    tags = message.tags
    message_id, user_id, bits = tags.get("id"), tags.get("user-id"), count(tags.get("bits", ""))
    if not (message_id and user_id and message.nick and len(message.params) == 2):
        return None
    said = message.text
    if said.startswith(_ACTION):
        said = said[len(_ACTION) :].rstrip("\x01")
    return ChatMessage(
        id=message_id,
        user_id=user_id,
        login=message.nick,
        name=tags.get("display-name", ""),
        badges=tuple(badge.partition("/")[0] for badge in tags.get("badges", "").split(",")),
        said=said,
        text=without_cheermotes(without_emotes(said, tags.get("emotes", "")), bits),
        bits=bits,
        reply="reply-parent-msg-id" in tags,
        partner=tags.get("source-room-id", tags.get("room-id")) != tags.get("room-id"),
        reward_id=tags.get("custom-reward-id", ""),
        first_time=tags.get("first-msg") == "1",
    )


def from_event(event: Mapping[str, Any]) -> ChatMessage:
    """Read the event of ``channel.chat.message``; KeyError, TypeError or ValueError when it makes no sense."""
    message, there = event["message"], event.get("source_broadcaster_user_id")
    said = str(message["text"])
    if said.startswith(_ACTION):
        said = said[len(_ACTION) :].rstrip("\x01")
    return ChatMessage(
        id=needed(event["message_id"]),
        user_id=needed(event["chatter_user_id"]),
        login=str(event["chatter_user_login"]),
        name=str(event["chatter_user_name"]),
        badges=tuple(str(badge["set_id"]) for badge in event.get("badges") or ()),
        said=said,
        text=without_pictures(message["fragments"]) if message.get("fragments") else said,
        bits=int((event.get("cheer") or {}).get("bits", 0)),
        reply=bool(event.get("reply")),
        partner=there not in (None, event["broadcaster_user_id"]),
        reward_id=str(event.get("channel_points_custom_reward_id") or ""),
    )


def needed(value: object) -> str:
    """Return an id that must be there; ValueError when it is not."""
    if not isinstance(value, str) or not value:
        raise ValueError("an id is missing")
    return value


def without_pictures(fragments: Sequence[Mapping[str, Any]]) -> str:
    """Join what is text: emotes and cheermotes fall out, kinds that nobody has heard of stay."""
    text = "".join(str(one["text"]) for one in fragments if one["type"] not in ("emote", "cheermote"))
    if text.startswith(_ACTION):
        text = text[len(_ACTION) :].rstrip("\x01")
    return text


def without_emotes(text: str, emotes: str) -> str:
    """Cut out emotes by the positions in a tag like ``25:0-4,12-16/1902:6-10``; they count code points."""
    for first, last in sorted(_places(emotes), reverse=True):
        text = text[:first] + text[last + 1 :]
    return text


def without_cheermotes(text: str, bits: int) -> str:
    """Cut out words like ``Cheer100``, as long as their numbers add up to no more than the bits that were cheered."""
    if bits <= 0:
        return text
    words = text.split(" ")
    found = [(int(match[1]), place) for place, word in enumerate(words) if (match := _CHEERMOTE.fullmatch(word))]
    for number, place in sorted(found, reverse=True):
        if number <= bits:
            bits -= number
            words[place] = ""
    return " ".join(word for word in words if word)


def count(digits: str) -> int:
    """Read a tag that should be a number; 0 when it is none."""
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else 0


def _places(emotes: str) -> Iterator[tuple[int, int]]:
    for place in re.findall(r"(\d{1,4})-(\d{1,4})", emotes):
        yield int(place[0]), int(place[1])


REMEMBERED = 20_000

# A lead moderator is a moderator (a badge of its own since late 2025). Staff, admin and global_mod say nothing about
# what the channel's owner trusts somebody with, and followers wear no badge: they all stay viewers.
_ROLES = {
    "broadcaster": Role.BROADCASTER,
    "moderator": Role.MODERATOR,
    "lead_moderator": Role.MODERATOR,
    "vip": Role.VIP,
    "subscriber": Role.SUBSCRIBER,
    "founder": Role.SUBSCRIBER,
}


def role_of(badges: Iterable[str]) -> Role:
    """Return the highest role that the names of the badges give."""
    return max((_ROLES.get(name, Role.VIEWER) for name in badges), default=Role.VIEWER)


class RoleCache:
    """Roles by user id, as last seen in chat: a redemption, for one, comes without badges."""

    def __init__(self) -> None:
        self._roles: LruDict[str, Role] = LruDict(REMEMBERED)

    def saw(self, user_id: str, role: Role) -> None:
        """Note what somebody's badges said."""
        self._roles.put(user_id, role)

    def role(self, user_id: str) -> Role:
        """Return the role somebody was last seen with."""
        return self._roles.get(user_id) or Role.VIEWER
