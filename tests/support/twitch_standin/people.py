"""Who exists in this Twitch: users by id and by login, and what is known about the one channel."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from zlib import crc32


@dataclass(frozen=True, slots=True)
class User:
    """One account; the id is made from the name, so the same name is the same person everywhere."""

    id: str
    login: str
    name: str

    def fields(self, role: str) -> dict[str, str]:
        """Write this user as EventSub does: ``role`` is user, broadcaster_user, chatter_user ..."""
        return {f"{role}_id": self.id, f"{role}_login": self.login, f"{role}_name": self.name}


def user_of(name: str) -> User:
    """Return the account behind a display name."""
    login = re.sub(r"[^a-z0-9_]", "", name.lower()) or "someone"
    return User(str(crc32(name.encode())), login, name)


@dataclass
class World:
    """The one channel and what Twitch knows about it."""

    broadcaster: User = User("1000", "harbour", "Harbour")
    users: dict[str, User] = field(default_factory=dict)
    broadcaster_type: str = "affiliate"
    live: bool = False
    shield: bool = False
    shared_with: User | None = None
    followers: set[str] = field(default_factory=set)
    moderators: set[str] = field(default_factory=set)
    blocked_terms: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.users[self.broadcaster.id] = self.broadcaster

    def user(self, name: str) -> User:
        """Return the account of a display name; it exists from now on."""
        if name.lower() == self.broadcaster.login:
            return self.broadcaster
        user = user_of(name)
        return self.users.setdefault(user.id, user)

    def moderates(self, user_id: str) -> bool:
        """Tell whether somebody may do what moderators do."""
        return user_id == self.broadcaster.id or user_id in self.moderators
