"""Recognises repeats: messages by id, messages by their words, and events that Twitch reports over two routes."""

from __future__ import annotations

import math
from collections.abc import Hashable
from enum import StrEnum

from streamer.integrations.twitch.chat_message import ChatMessage
from streamer.lru import LruDict
from streamer.types import Notice, NoticeKind

MAX_KEYS = 10_000
KEPT_S = 900.0
SAME_TEXT_S = 2.0
"""How long equal words of one user count as one message that Twitch sent twice under two ids."""
UNCONFIRMED_IDS_S = 15.0
"""The same between IRC and EventSub, until a first message has shown that both use the same ids."""

# Reported at most once a session, however often somebody unfollows and follows again to set off an alert.
_ONCE_PER_SESSION = frozenset({NoticeKind.FOLLOW})


class ChatSource(StrEnum):
    """The two connections over which Twitch reports what happens in chat."""

    IRC = "irc"
    EVENTSUB = "eventsub"

    @property
    def other(self) -> ChatSource:
        """Return the other connection."""
        return ChatSource.EVENTSUB if self is ChatSource.IRC else ChatSource.IRC


class TtlSet:
    """A set of at most ``size`` keys that forgets each after ``kept_s`` seconds."""

    def __init__(self, size: int = MAX_KEYS, kept_s: float = KEPT_S) -> None:
        self._kept_s = kept_s
        self._added_at: LruDict[Hashable, float] = LruDict(size)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._added_at

    def is_recent(self, key: Hashable, now: float, within_s: float) -> bool:
        """Tell whether a key was added at most ``within_s`` ago, without adding it."""
        added_at = self._added_at.get(key)
        return added_at is not None and now - added_at <= within_s

    def add(self, key: Hashable, now: float, within_s: float = KEPT_S) -> bool:
        """Add the key; True when it was already there, added at most ``within_s`` ago."""
        added_at = self._added_at.get(key)
        self._added_at.put(key, now)
        self._added_at.drop_while(lambda kept_at: kept_at < now - self._kept_s)
        return added_at is not None and now - added_at <= within_s


class CrossSourceDedupe:
    """Matches events that arrive over two routes without a common id, such as a raid in chat and as its own event.

    Within ``within_s``, the second of two equal events counts as new only when one route reports it a second time.
    """

    def __init__(self, within_s: float = 120.0, size: int = 1000) -> None:
        self._within_s = within_s
        self._counts: LruDict[Hashable, tuple[float, dict[str, int]]] = LruDict(size)

    def is_new(self, key: Hashable, route: str, now: float) -> bool:
        """Count an event on one route; True when no other route has reported it before."""
        first_at, counts = self._counts.get(key) or (now, {})
        if now - first_at > self._within_s:
            first_at, counts = now, {}
        reported = max(counts.values(), default=0)
        counts[route] = counts.get(route, 0) + 1
        self._counts.put(key, (first_at, counts))
        return counts[route] > reported


class MessageDedupe:
    """Recognises a chat message that was reported before: by its id, or by equal words of the same user."""

    def __init__(self) -> None:
        self._ids, self._texts = TtlSet(), TtlSet()
        self._ids_confirmed = False

    def add_id(self, message_id: str, now: float) -> bool:
        """Mark an id as handled; True when it was marked already."""
        return self._ids.add(message_id, now)

    def confirm(self, message_id: str) -> bool:
        """Tell whether an id was handled; if so, IRC and EventSub are known to use the same ids."""
        known = message_id in self._ids
        self._ids_confirmed |= known
        return known

    def is_repeat(self, message: ChatMessage, source: ChatSource, now: float) -> bool:
        """Mark a message as handled; True when it was reported before."""
        if message.id in self._ids:
            self._ids.add(message.id, now)
            return True
        # Twitch has delivered one event under two ids (twitchdev/issues#918), hence the second key.
        words = (message.user_id, hash(message.raw_text))
        within_s = SAME_TEXT_S if self._ids_confirmed else UNCONFIRMED_IDS_S
        repeated = self._texts.is_recent((*words, source.other), now, within_s)
        repeated |= self._texts.add((*words, source), now, SAME_TEXT_S)
        self._ids.add(message.id, now)
        return repeated


class NoticeDedupe:
    """Recognises a notice that was reported before: under the same id, or over another route."""

    def __init__(self) -> None:
        self._ids, self._once = TtlSet(), TtlSet(kept_s=math.inf)
        self._routes = CrossSourceDedupe()

    def is_new(self, notice: Notice, event_id: str, route: str) -> bool:
        """Mark a notice as handled; False when it was reported before. ``event_id`` may be empty."""
        if event_id and self._ids.add((route, event_id), notice.at):
            return False
        user_id = notice.actor.id if notice.actor else ""
        if notice.kind in _ONCE_PER_SESSION and self._once.add((notice.kind, user_id), notice.at, math.inf):
            return False
        return self._routes.is_new((notice.kind, user_id, notice.count), route, notice.at)
