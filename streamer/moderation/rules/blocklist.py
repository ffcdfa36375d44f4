"""Keeps out viewers whom the streamer has listed (`use: blocklist`, or `use: ban`, its old name)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from streamer.interfaces import Rule
from streamer.types import ImageRequest, Refusal


class Options(BaseModel):
    """Whom to keep out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    users: tuple[str, ...] = Field(
        (), description="ids or login names that are always refused; capitals and a leading @ do not matter"
    )


class Blocklist(Rule):
    """Compare user ids and login names with the list; an id outlives a rename, so it is the better entry."""

    def __init__(self, options: Options) -> None:
        self._users = frozenset(user.strip().removeprefix("@").casefold() for user in options.users)

    def check(self, request: ImageRequest, now: float) -> Refusal | None:
        """Refuse listed viewers, in words that do not invite an argument in chat."""
        if not self._users:
            return None
        actor = request.actor
        if actor.id.casefold() in self._users or actor.name.casefold() in self._users:
            return Refusal(request.id, "ban", "not available")
        return None


def create(options: Options) -> Blocklist:
    """Build the rule."""
    return Blocklist(options)
