"""Refuses commands to viewers below the role they need, which the command table says."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from streamer.interfaces import Rule
from streamer.types import ImageRequest, Refusal, Role

_AUDIENCE = {
    Role.VIEWER: "for everyone",
    Role.FOLLOWER: "for followers and up",
    Role.SUBSCRIBER: "for subscribers and up",
    Role.VIP: "for VIPs and up",
    Role.MODERATOR: "for moderators and up",
    Role.BROADCASTER: "for the streamer only",
}


class Options(BaseModel):
    """No options: the command table has the roles."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RoleRule(Rule):
    """Compare the actor's role with the role the command needs."""

    def check(self, request: ImageRequest, now: float) -> Refusal | None:
        """Refuse an actor whose role is too low."""
        if request.actor.role >= request.role_needed:
            return None
        return Refusal(request.id, "role", _AUDIENCE[request.role_needed])


def create(options: Options) -> RoleRule:
    """Build the rule."""
    return RoleRule()
