"""What came before: messages by id, lines by their words, and events that Twitch reports in two ways."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from enum import StrEnum

REMEMBERED = 10_000
KEPT_S = 900.0


class ChatSource(StrEnum):
    """The two ways in which Twitch tells what happens in chat."""

    IRC = "irc"
    EVENTSUB = "eventsub"


class TtlSet:
    """Remember keys for a time and up to a number, and say whether one came before."""

    def __init__(self, size: int = REMEMBERED, kept_s: float = KEPT_S) -> None:
        self._size, self._kept_s = size, kept_s
        self._at: OrderedDict[Hashable, float] = OrderedDict()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._at

    def recent(self, key: Hashable, now: float, within_s: float) -> bool:
        """Tell whether a key was noted at most ``within_s`` ago, without noting it."""
        earlier = self._at.get(key)
        return earlier is not None and now - earlier <= within_s

    def before(self, key: Hashable, now: float, within_s: float = KEPT_S) -> bool:
        """Note the key; True when it was noted already, at most ``within_s`` ago."""
        earlier = self._at.pop(key, None)
        self._at[key] = now
        while len(self._at) > self._size or next(iter(self._at.values())) < now - self._kept_s:
            self._at.popitem(last=False)
        return earlier is not None and now - earlier <= within_s


class CrossSourceDedupe:
    """Events that come in two ways, without a common id: a raid in chat, and as an event of its own.

    The second of two like events within ``within_s`` passes only when one of the ways reports it for the second time.
    """

    def __init__(self, within_s: float = 120.0, size: int = 1000) -> None:
        self._within_s, self._size = within_s, size
        self._counts: OrderedDict[Hashable, tuple[float, dict[str, int]]] = OrderedDict()

    def is_news(self, key: Hashable, way: str, now: float) -> bool:
        """Note that an event was told in one way; True when no other way had told it."""
        at, counts = self._counts.pop(key, (now, {}))
        if now - at > self._within_s:
            at, counts = now, {}
        told = max(counts.values(), default=0)
        counts[way] = counts.get(way, 0) + 1
        self._counts[key] = (at, counts)
        if len(self._counts) > self._size:
            self._counts.popitem(last=False)
        return counts[way] > told
