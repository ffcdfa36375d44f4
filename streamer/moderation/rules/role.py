"""Lets a command be used by those it is meant for; which role that is stands with the command."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from streamer.interfaces import Rule
from streamer.types import ImageRequest, Refusal, Role

_FOR = {
    Role.VIEWER: "for everyone",
    Role.FOLLOWER: "for followers and up",
    Role.SUBSCRIBER: "for subscribers and up",
    Role.VIP: "for VIPs and up",
    Role.MODERATOR: "for moderators and up",
    Role.BROADCASTER: "for the streamer only",
}


class Options(BaseModel):
    """Nothing to set: the roles stand in the command table."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RoleRule(Rule):
    """Compare the actor's role with the one the command needs."""

    def check(self, request: ImageRequest, now: float) -> Refusal | None:
        """Refuse who stands too low."""
        if request.actor.role >= request.role_needed:
            return None
        return Refusal(request.id, "role", _FOR[request.role_needed])


def create(options: Options) -> RoleRule:
    """Build the rule."""
    return RoleRule()
