"""Which EventSub subscriptions this channel wants, and which of them the login allows. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

LINES = "channel.chat.message"


class Feature(StrEnum):
    """What can be switched on in config.yaml, and needs a login."""

    FOLLOWS = "follows"
    SUBSCRIPTIONS = "subscriptions"
    BITS = "bits"
    SHIELD_MODE = "shield_mode"
    AUTOMOD = "automod"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription: one of ``scopes`` is needed, if there are any; ``own``: only with the streamer's own login."""

    kind: str
    feature: str
    condition: tuple[str, ...] = ("broadcaster_user_id",)
    scopes: tuple[str, ...] = ()
    version: str = "1"
    own: bool = False

    def conditions(self, channel_id: str, user_id: str) -> dict[str, str]:
        """Fill the condition in: whoever is not the channel is the account that is logged in."""
        return {key: channel_id if "broadcaster" in key else user_id for key in self.condition}


_READER = ("broadcaster_user_id", "user_id")
_MODERATOR = ("broadcaster_user_id", "moderator_user_id")
_CHAT = ("user:read:chat",)
_SUBS = ("channel:read:subscriptions",)
_SHIELD = ("moderator:read:shield_mode",)
_AUTOMOD = ("moderator:manage:automod",)
_REDEMPTIONS = ("channel:manage:redemptions", "channel:read:redemptions")

# The lines of chat come first: within ten seconds a connection without any subscription is closed.
ALWAYS = (
    Subscription(LINES, "chat", _READER, _CHAT),
    Subscription("channel.chat.message_delete", "chat", _READER, _CHAT),
    Subscription("channel.chat.clear_user_messages", "chat", _READER, _CHAT),
    Subscription("channel.chat.clear", "chat", _READER, _CHAT),
    Subscription("channel.chat.notification", "chat", _READER, _CHAT),
    Subscription("channel.raid", "raids", ("to_broadcaster_user_id",)),
    Subscription("stream.online", "stream"),
    Subscription("stream.offline", "stream"),
    Subscription("channel.shared_chat.begin", "shared chat"),
    Subscription("channel.shared_chat.end", "shared chat"),
)
REWARDS = Subscription(
    "channel.channel_points_custom_reward_redemption.add", "rewards", scopes=_REDEMPTIONS, own=True
)  # fmt: skip
BY_FEATURE: Mapping[Feature, tuple[Subscription, ...]] = {
    Feature.FOLLOWS: (Subscription("channel.follow", "follows", _MODERATOR, ("moderator:read:followers",), "2"),),
    Feature.SUBSCRIPTIONS: (
        Subscription("channel.subscribe", "subscriptions", scopes=_SUBS, own=True),
        Subscription("channel.subscription.message", "subscriptions", scopes=_SUBS, own=True),
        Subscription("channel.subscription.gift", "subscriptions", scopes=_SUBS, own=True),
    ),
    Feature.BITS: (Subscription("channel.bits.use", "bits", scopes=("bits:read",), own=True),),
    Feature.SHIELD_MODE: (
        Subscription("channel.shield_mode.begin", "shield mode", _MODERATOR, _SHIELD),
        Subscription("channel.shield_mode.end", "shield mode", _MODERATOR, _SHIELD),
    ),
    Feature.AUTOMOD: (Subscription("automod.message.update", "automod", _MODERATOR, _AUTOMOD, "2"),),
}


def needed_subscriptions(asked: Collection[str]) -> tuple[Subscription, ...]:
    """List what is wanted when the config asks for these scopes: for events, rewards, and what is typed by itself."""
    optional = (REWARDS, *(one for feature in BY_FEATURE.values() for one in feature))
    return (*ALWAYS, *(one for one in optional if one.scopes[0] in asked))


def scopes(features: Collection[Feature]) -> dict[str, str]:
    """Say which scopes a login must cover for these features, and for which."""
    found = {_CHAT[0]: "chat events"}
    return found | {one.scopes[0]: one.feature for feature in features for one in BY_FEATURE[feature]}


def lacking(one: Subscription, granted: Collection[str], own: bool) -> str:
    """Say why a subscription cannot be had with this login; empty when it can."""
    if one.own and not own:
        return "needs the streamer's own login"
    if one.scopes and not set(one.scopes) & set(granted):
        return f"needs {one.scopes[0]}"
    return ""


def summary(off: Mapping[Subscription, str]) -> Iterator[str]:
    """Say feature by feature what is off and why."""
    told: dict[str, str] = {}
    for one, why in off.items():
        told.setdefault(one.feature, why)
    for feature, why in told.items():
        yield f"{feature} off: {why}"


BLOCKED_TERMS: Mapping[str, str] = {"moderator:read:blocked_terms": "the channel's blocked terms"}
_SCOPES = {
    "cheer": "bits:read",
    "subscription": "user:read:chat",
    "gift": "user:read:chat",
    "follow": "moderator:read:followers",
}


def of_events(events: Iterable[str]) -> Mapping[str, str]:
    """Return each scope with its feature; raids need none."""
    return {_SCOPES[event]: f"{event} events" for event in events if event in _SCOPES}
