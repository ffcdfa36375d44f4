"""A dictionary that never grows beyond a limit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class LruDict(Generic[Key, Value]):
    """A bounded dictionary: it drops the keys that were put longest ago.

    Reading does not count as use: put a value again to keep it longer. Time is no concern of this class; callers with
    a time to live keep the time in the value and call ``drop_while``.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[Key, Value] = OrderedDict()

    def put(self, key: Key, value: Value) -> bool:
        """Set a value and make its key the newest; False when the key was there already."""
        new = key not in self._entries
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._limit:
            self._entries.popitem(last=False)
        return new

    def get(self, key: Key) -> Value | None:
        """Return the value of a key, None when it is not there."""
        return self._entries.get(key)

    def values(self) -> Iterable[Value]:
        """Return all values, oldest first."""
        return self._entries.values()

    def pop(self, key: Key) -> Value | None:
        """Remove a key and return its value, None when it is not there."""
        return self._entries.pop(key, None)

    def drop_while(self, expired: Callable[[Value], bool]) -> None:
        """Drop the oldest values for as long as they are expired."""
        while self._entries and expired(next(iter(self._entries.values()))):
            self._entries.popitem(last=False)

    def clear(self) -> None:
        """Drop everything."""
        self._entries.clear()

    def __contains__(self, key: Key) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[Key]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
