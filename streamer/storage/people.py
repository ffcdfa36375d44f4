"""Who is meant: people have an id, a login and a shown name, and every look-up of a person takes all three.

The id stays for life. A login changes seldom, is reused, and stands in addresses and commands. A shown name is for
reading: it may be in another script than the login, and two people may show the same one. So the id is asked first,
then the login, then the shown name; and a shown name that is written like a login never stands for somebody else's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import Enum, auto
from unicodedata import normalize

from streamer.lru import LruDict
from streamer.types import Actor, Role

REMEMBERED = 20_000
NAMESAKES = 8
"""How many people of one shown name are told apart."""

_LOGIN = re.compile(r"[a-z0-9_]+")


class NameKind(Enum):
    """The three names of a person, the surest first."""

    ID = auto()
    LOGIN = auto()
    SHOWN = auto()


def name_key(name: str) -> str:
    """Return what every spelling of an id, a login or a shown name has in common; a leading @ does not count."""
    if name.isascii():  # nearly every id and login; each line of a flood asks for some
        return name.strip().removeprefix("@").lower()
    return normalize("NFKC", normalize("NFKC", name).strip().removeprefix("@").casefold())


def keys_of(actor: Actor) -> tuple[str, ...]:
    """Return the keys under which a list may name somebody, the surest first."""
    user_id, login, shown = name_key(actor.id), name_key(actor.login), name_key(actor.name)
    if not login:
        return user_id, shown
    return (user_id, login) if _LOGIN.fullmatch(shown) else (user_id, login, shown)


def full_name(actor: Actor) -> str:
    """Return how somebody is called: the shown name, and the login where the two differ."""
    same = not actor.login or name_key(actor.login) == name_key(actor.name)
    return actor.name if same else f"{actor.name} ({actor.login})"


def several(words: str, people: Iterable[Actor], shown: Callable[[str], str] = str) -> str:
    """Say who could be meant by a name, each with what tells them apart; ``shown`` makes a name fit to be shown."""
    listed = ", ".join(f"{shown(actor.name)} ({actor.login or actor.id})" for actor in people)
    return f"several people are called {shown(words.strip().removeprefix('@'))}: {listed}; say which one"


def unseen(user_id: str) -> Actor:
    """Return somebody of whom nothing but an id is known."""
    return Actor(user_id.strip(), user_id.strip(), Role.VIEWER)


def forgotten_words(actor: Actor, known: bool) -> str:
    """Say who was forgotten; somebody who is not known here may have been called by a name that was taken for an id."""
    if known:
        return f"{full_name(actor)} is forgotten"
    return f"nobody called {actor.name} is known here; whoever has this id is forgotten"


class NameList:
    """People listed by an id, a login or a shown name each."""

    def __init__(self, names: Iterable[str]) -> None:
        self._keys = frozenset(name_key(name) for name in names)

    def __contains__(self, actor: Actor) -> bool:
        return bool(self._keys) and not self._keys.isdisjoint(keys_of(actor))


NOBODY = NameList(())


class People:
    """Remember whoever wrote lately, and find them by any of their names."""

    def __init__(self, people: Iterable[Actor] = ()) -> None:
        self._actors: LruDict[str, Actor] = LruDict(REMEMBERED)
        self._ids: LruDict[tuple[NameKind, str], tuple[str, ...]] = LruDict(3 * REMEMBERED)
        for actor in people:
            self.remember(actor)

    def remember(self, actor: Actor) -> None:
        """Note that somebody writes; what they were called before leads to them for a while, too."""
        if self._actors.get(actor.id) == actor:
            return
        self._actors.put(actor.id, actor)
        user_id, login, shown = _names(actor)
        if user_id != actor.id:
            self._add(NameKind.ID, user_id, actor)
        if login:
            # A login belongs to one person: whoever has it now took it over.
            self._ids.put((NameKind.LOGIN, login), (actor.id,))
        if shown != login:
            self._add(NameKind.SHOWN, shown, actor)

    def knows(self, actor_id: str) -> bool:
        """Tell whether somebody is remembered."""
        return actor_id in self._actors

    def meant(self, words: str) -> tuple[Actor, ...]:
        """Return who is meant by an id, a login or a shown name; several if a shown name fits several people."""
        key = name_key(words)
        if (exact := self._actors.get(words.strip()) or self._actors.get(key)) is not None:
            return (exact,)
        for kind in NameKind:
            found = (self._actors.get(user_id) for user_id in self._ids.get((kind, key)) or ())
            actors = tuple(actor for actor in found if actor is not None)
            if actors:
                # Somebody who is called so now goes before whoever once was.
                return tuple(actor for actor in actors if key in _names(actor)) or actors
        return ()

    def _add(self, kind: NameKind, key: str, actor: Actor) -> None:
        entry = kind, key
        others = (user_id for user_id in self._ids.get(entry) or () if user_id != actor.id)
        self._ids.put(entry, (*others, actor.id)[-NAMESAKES:])


def _names(actor: Actor) -> tuple[str, ...]:
    return name_key(actor.id), name_key(actor.login), name_key(actor.name)
