"""The people of the chat: moderators speak of names, bans hold ids."""

from __future__ import annotations

from streamer.lru import LruDict
from streamer.types import Actor

REMEMBERED = 20_000


class People:
    """Find somebody who asked lately by name or by id."""

    def __init__(self) -> None:
        self._by_name: LruDict[str, Actor] = LruDict(REMEMBERED)
        self._by_id: LruDict[str, Actor] = LruDict(REMEMBERED)

    def remember(self, actor: Actor) -> None:
        """Note that somebody asks for something."""
        self._by_name.put(actor.name.casefold(), actor)
        self._by_id.put(actor.id.casefold(), actor)

    def find(self, name_or_id: str) -> Actor | None:
        """Return whom a moderator means; ``name_or_id`` may begin with @."""
        key = key_of(name_or_id)
        return self._by_name.get(key) or self._by_id.get(key)


def key_of(name_or_id: str) -> str:
    """Return a typed name or id as it is looked up."""
    return name_or_id.strip().removeprefix("@").casefold()
