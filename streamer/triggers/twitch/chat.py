"""What a line of Twitch chat means here: who typed what, and what was taken back. No sockets, no clock."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from collections.abc import Hashable, Iterator

from streamer.text import clean
from streamer.triggers.twitch.irc import Message
from streamer.types import Actor, Retraction, Role, Trigger

SOURCE = "twitch"
REMEMBERED = 10_000
SAME_TEXT_S = 2.0
"""How long the same words of the same person count as one message sent twice under two ids."""

log = logging.getLogger(__name__)

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
_ACTION = "\x01ACTION "
_MENTION = re.compile(r"\s*@\w+[,:]?\s+")
_CHEERMOTE = re.compile(r"[A-Za-z][A-Za-z0-9]*?([1-9]\d{0,6})")


class Seen:
    """Remember the newest keys, and say whether one came before."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._at: OrderedDict[Hashable, float] = OrderedDict()

    def before(self, key: Hashable, now: float, within_s: float = float("inf")) -> bool:
        """Note the key; True when it was noted already, at most ``within_s`` ago."""
        earlier = self._at.pop(key, None)
        self._at[key] = now
        if len(self._at) > self._size:
            self._at.popitem(last=False)
        return earlier is not None and now - earlier <= within_s


class Chat:
    """Turn the messages of one channel into triggers and retractions; ``malformed`` counts those that made no sense."""

    def __init__(self, channel: str, *, ignore: frozenset[str] = frozenset(), shared_chat: bool = False) -> None:
        self._channel = channel
        self._ignore = ignore
        self._shared_chat = shared_chat
        self._ids = Seen()
        self._texts = Seen()
        self.malformed = 0

    def read(self, message: Message, now: float) -> Trigger | Retraction | None:
        """Say what a message means; None when it means nothing to us."""
        if message.command == "PRIVMSG":
            return self._typed(message, now)
        if message.command == "CLEARMSG":
            return self._taken_back(message, "target-msg-id", now)
        if message.command == "CLEARCHAT":
            everything = len(message.params) == 1
            return (
                Retraction(SOURCE, None, None, now) if everything else self._taken_back(message, "target-user-id", now)
            )
        if message.command == "USERNOTICE" and message.tags.get("msg-id") == "raid":
            log.info("raid: %r brings %r viewers", message.tags.get("login"), message.tags.get("msg-param-viewerCount"))
        return None

    def _typed(self, message: Message, now: float) -> Trigger | None:
        tags = message.tags
        message_id, user_id = tags.get("id"), tags.get("user-id")
        if not (message_id and user_id and message.nick and len(message.params) == 2):
            self.malformed += 1
            return None
        partner = tags.get("source-room-id", tags.get("room-id")) != tags.get("room-id")
        if message.nick.casefold() in self._ignore or (partner and not self._shared_chat):
            return None
        if self._is_repeated(message_id, user_id, message.text, now):
            return None
        # In a shared chat a moderator of the partner is no moderator here.
        role = Role.VIEWER if partner else _role(tags.get("badges", ""))
        actor = Actor(user_id, clean(tags.get("display-name", "")) or message.nick, role)
        # Paid is a cheer, or a channel-point reward that asks for text.
        paid = _count(tags.get("bits", "")) > 0 or bool(tags.get("custom-reward-id"))
        return Trigger(message_id, SOURCE, self._words(message), actor, now, paid)

    def _is_repeated(self, message_id: str, user_id: str, text: str, now: float) -> bool:
        # Twitch has delivered one event under two ids (twitchdev/issues#918), hence the second key.
        return self._ids.before(message_id, now) | self._texts.before((user_id, hash(text)), now, SAME_TEXT_S)

    def _taken_back(self, message: Message, tag: str, now: float) -> Retraction | None:
        target = message.tags.get(tag)
        if not target:
            self.malformed += 1
            return None
        if tag == "target-msg-id":
            return Retraction(SOURCE, target, None, now)
        return Retraction(SOURCE, None, target, now)

    def _words(self, message: Message) -> str:
        text = message.text
        if text.startswith(_ACTION):
            text = text[len(_ACTION) :].rstrip("\x01")
        text = without_emotes(text, message.tags.get("emotes", ""))
        text = without_cheermotes(text, _count(message.tags.get("bits", "")))
        mention = _MENTION.match(text)
        if mention and ("reply-parent-msg-id" in message.tags or self._is_us(mention[0])):
            text = text[mention.end() :]
        return text

    def _is_us(self, mention: str) -> bool:
        return mention.strip(" @,:").casefold() == self._channel


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


def _places(emotes: str) -> Iterator[tuple[int, int]]:
    for place in re.findall(r"(\d{1,4})-(\d{1,4})", emotes):
        yield int(place[0]), int(place[1])


def _role(badges: str) -> Role:
    names = (badge.partition("/")[0] for badge in badges.split(","))
    return max((_ROLES.get(name, Role.VIEWER) for name in names), default=Role.VIEWER)


def _count(digits: str) -> int:
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else 0
