"""Keeps out viewers whom the streamer has listed (`use: blocklist`, or `use: ban`, its old name)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from streamer.interfaces import Rule
from streamer.storage.people import NameList
from streamer.types import ImageRequest, Refusal


class Options(BaseModel):
    """Whom to keep out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    users: tuple[str, ...] = Field(
        (),
        description="ids, logins or shown names, in any script, that are always refused; capitals and a leading @ do "
        "not matter",
    )


class Blocklist(Rule):
    """Compare the three names of people with the list; an id outlives a rename, so it is the best entry."""

    def __init__(self, options: Options) -> None:
        self._users = NameList(options.users)

    def check(self, request: ImageRequest, now: float) -> Refusal | None:
        """Refuse listed viewers, in words that do not invite an argument in chat."""
        return Refusal(request.id, "ban", "not available") if request.actor in self._users else None


def create(options: Options) -> Blocklist:
    """Build the rule."""
    return Blocklist(options)
