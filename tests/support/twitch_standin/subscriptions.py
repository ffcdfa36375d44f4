"""Which EventSub subscriptions exist, what each needs, and why one is refused. No sockets.

https://dev.twitch.tv/docs/eventsub/eventsub-subscription-types/
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from tests.support.twitch_standin.grants import Grant
from tests.support.twitch_standin.people import World

MOST_SOCKETS = 3
MOST_SUBSCRIPTIONS = 300
MOST_COST = 10


@dataclass(frozen=True, slots=True)
class Kind:
    """What one subscription type asks for: condition keys, and one of these scopes (empty: none)."""

    condition: tuple[str, ...]
    scopes: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


_CHAT = Kind(("broadcaster_user_id", "user_id"), ("user:read:chat",))
_OPEN = Kind(("broadcaster_user_id",))
_SUBS = Kind(("broadcaster_user_id",), ("channel:read:subscriptions",))
_REDEMPTIONS = Kind(
    ("broadcaster_user_id",), ("channel:read:redemptions", "channel:manage:redemptions"), optional=("reward_id",)
)
_BITS = Kind(("broadcaster_user_id",), ("bits:read",))
_MODERATOR = ("broadcaster_user_id", "moderator_user_id")
_SHIELD = Kind(_MODERATOR, ("moderator:read:shield_mode", "moderator:manage:shield_mode"))
_AUTOMOD = Kind(_MODERATOR, ("moderator:manage:automod",))

KINDS: dict[tuple[str, str], Kind] = {
    ("channel.chat.message", "1"): _CHAT,
    ("channel.chat.notification", "1"): _CHAT,
    ("channel.chat.message_delete", "1"): _CHAT,
    ("channel.chat.clear_user_messages", "1"): _CHAT,
    ("channel.chat.clear", "1"): _CHAT,
    ("channel.channel_points_custom_reward_redemption.add", "1"): _REDEMPTIONS,
    ("channel.channel_points_custom_reward_redemption.update", "1"): _REDEMPTIONS,
    ("channel.channel_points_automatic_reward_redemption.add", "2"): _REDEMPTIONS,
    ("channel.bits.use", "1"): _BITS,
    ("channel.cheer", "1"): _BITS,
    ("channel.subscribe", "1"): _SUBS,
    ("channel.subscription.message", "1"): _SUBS,
    ("channel.subscription.gift", "1"): _SUBS,
    ("channel.raid", "1"): Kind(("to_broadcaster_user_id",)),
    ("channel.follow", "2"): Kind(_MODERATOR, ("moderator:read:followers",)),
    ("stream.online", "1"): _OPEN,
    ("stream.offline", "1"): _OPEN,
    ("channel.shared_chat.begin", "1"): _OPEN,
    ("channel.shared_chat.update", "1"): _OPEN,
    ("channel.shared_chat.end", "1"): _OPEN,
    ("channel.shield_mode.begin", "1"): _SHIELD,
    ("channel.shield_mode.end", "1"): _SHIELD,
    ("automod.message.hold", "2"): _AUTOMOD,
    ("automod.message.update", "2"): _AUTOMOD,
}
RETIRED = {("channel.follow", "1")}


class Rejected(Exception):
    """A subscription is refused: HTTP status, Twitch's words, and what else the answer holds."""

    def __init__(self, status: int, message: str, **more: str) -> None:
        super().__init__(message)
        self.status, self.message, self.more = status, message, more


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription of one session."""

    id: str
    type: str
    version: str
    condition: tuple[tuple[str, str], ...]
    session_id: str
    user_id: str
    status: str = "enabled"
    cost: int = 0

    @property
    def enabled(self) -> bool:
        """Tell whether events are delivered for it."""
        return self.status == "enabled"

    @property
    def key(self) -> tuple[object, ...]:
        """Return what makes another one a duplicate."""
        return self.type, self.version, self.condition


class Subscriptions:
    """All subscriptions by id. ``orphans``: those of a torn session stay for a while, as they do at Twitch."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_id: dict[str, Subscription] = {}
        self._numbers = itertools.count(1)
        self.conflict_names_id = True
        self.created: list[str] = []

    def __iter__(self) -> itertools.chain[Subscription]:
        return itertools.chain(self._by_id.values())

    def of(self, session_id: str) -> list[Subscription]:
        """Return the enabled ones of one session."""
        return [
            subscription
            for subscription in self
            if subscription.session_id == session_id and subscription.status == "enabled"
        ]

    def add(
        self,
        kind: str,
        version: str,
        condition: dict[str, str],
        session_id: str,
        grant: Grant,
        sessions: dict[str, str],
    ) -> Subscription:
        """Create one, or say why not; ``sessions`` are the open ones with the user that each belongs to."""
        needs = self._needs(kind, version, condition)
        if needs.scopes and not set(needs.scopes) & set(grant.scopes):
            raise Rejected(403, "subscription missing proper authorization")
        if session_id not in sessions:
            raise Rejected(400, "websocket transport session does not exist or has already disconnected")
        if sessions[session_id] not in ("", grant.user.id):
            raise Rejected(400, "websocket transport cannot have subscriptions created by different users")
        self._check_condition(condition, grant)
        new = Subscription(
            f"sub-{next(self._numbers)}", kind, version, tuple(sorted(condition.items())), session_id, grant.user.id,
            cost=0 if grant.user.id in condition.values() else 1,
        )  # fmt: skip
        self._check_limits(new, sessions)
        self._by_id[new.id] = new
        self.created.append(kind)
        return new

    def _needs(self, kind: str, version: str, condition: dict[str, str]) -> Kind:
        if (kind, version) in RETIRED:
            raise Rejected(410, "subscription type and version combination is no longer available")
        needs = KINDS.get((kind, version))
        if needs is None:
            raise Rejected(400, "invalid subscription type and version combination")
        given = {key for key, value in condition.items() if value}
        if not set(needs.condition) <= given or given - set(needs.condition) - set(needs.optional):
            raise Rejected(400, f"invalid condition for {kind}: needs {', '.join(needs.condition)}")
        return needs

    def _check_condition(self, condition: dict[str, str], grant: Grant) -> None:
        if condition.get("user_id", grant.user.id) != grant.user.id:
            raise Rejected(403, "subscription missing proper authorization")
        moderator = condition.get("moderator_user_id")
        if moderator is not None and (moderator != grant.user.id or not self._world.moderates(moderator)):
            raise Rejected(403, "subscription missing proper authorization")

    def _check_limits(self, new: Subscription, sessions: dict[str, str]) -> None:
        for old in self:
            same_place = old.session_id == new.session_id or old.session_id not in sessions
            if old.key == new.key and old.enabled and same_place:
                more = {"id": old.id} if self.conflict_names_id else {}
                raise Rejected(409, "subscription already exists", **more)
        enabled = [
            subscription
            for subscription in self
            if subscription.user_id == new.user_id and subscription.status == "enabled"
        ]
        if len({subscription.session_id for subscription in enabled} | {new.session_id}) > MOST_SOCKETS:
            raise Rejected(429, "number of websocket transports limit exceeded")
        if len(self.of(new.session_id)) >= MOST_SUBSCRIPTIONS:
            raise Rejected(429, "maximum number of subscriptions with type and condition exceeded")
        if self.total_cost + new.cost > MOST_COST:
            raise Rejected(429, "subscription limit exceeded: max_total_cost")

    @property
    def total_cost(self) -> int:
        """Add up what the enabled ones cost."""
        return sum(subscription.cost for subscription in self if subscription.enabled)

    def remove(self, subscription_id: str) -> bool:
        """Delete subscription."""
        return self._by_id.pop(subscription_id, None) is not None

    def drop(self, session_id: str) -> None:
        """Delete those of a session."""
        for subscription in [subscription for subscription in self if subscription.session_id == session_id]:
            del self._by_id[subscription.id]

    def move(self, old: str, new: str) -> None:
        """Carry the subscriptions of a session over to the next."""
        for subscription in self.of(old):
            self._by_id[subscription.id] = replace(subscription, session_id=new)

    def revoke(self, subscription_id: str, status: str) -> Subscription:
        """Take one away."""
        return replace(self._by_id.pop(subscription_id), status=status)
