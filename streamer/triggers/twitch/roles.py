"""Who somebody is in this channel: badges say most of it, the API says who follows."""

from __future__ import annotations

from collections.abc import Iterable

from streamer.recent import Recent
from streamer.types import Role

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


class Known:
    """Roles by user id, as last seen in chat: a redemption, for one, comes without badges."""

    def __init__(self) -> None:
        self._roles: Recent[str, Role] = Recent(REMEMBERED)

    def saw(self, user_id: str, role: Role) -> None:
        """Note what somebody's badges said."""
        self._roles.put(user_id, role)

    def role(self, user_id: str) -> Role:
        """Return the role somebody was last seen with."""
        return self._roles.get(user_id) or Role.VIEWER
