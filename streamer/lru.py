"""Remembers the newest keys with their values, and forgets the oldest."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class LruDict(Generic[Key, Value]):
    """A bounded memory: at most ``limit`` keys, in the order in which they were last put."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[Key, Value] = OrderedDict()

    def put(self, key: Key, value: Value) -> bool:
        """Remember a key; False when it was known already."""
        new = key not in self._kept
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > self._limit:
            self._kept.popitem(last=False)
        return new

    def get(self, key: Key) -> Value | None:
        """Return what was remembered with the key."""
        return self._kept.get(key)

    def values(self) -> Iterable[Value]:
        """Return what is remembered, oldest first."""
        return self._kept.values()

    def pop(self, key: Key) -> Value | None:
        """Return what was remembered with the key, and forget it."""
        return self._kept.pop(key, None)

    def __contains__(self, key: Key) -> bool:
        return key in self._kept
