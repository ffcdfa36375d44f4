"""Which EventSub subscriptions this channel wants, and which of them the login allows. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
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
class Wanted:
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
    Wanted(LINES, "chat", _READER, _CHAT),
    Wanted("channel.chat.message_delete", "chat", _READER, _CHAT),
    Wanted("channel.chat.clear_user_messages", "chat", _READER, _CHAT),
    Wanted("channel.chat.clear", "chat", _READER, _CHAT),
    Wanted("channel.chat.notification", "chat", _READER, _CHAT),
    Wanted("channel.raid", "raids", ("to_broadcaster_user_id",)),
    Wanted("stream.online", "stream"),
    Wanted("stream.offline", "stream"),
    Wanted("channel.shared_chat.begin", "shared chat"),
    Wanted("channel.shared_chat.end", "shared chat"),
)
REWARDS = Wanted(
    "channel.channel_points_custom_reward_redemption.add", "rewards", scopes=_REDEMPTIONS, own=True
)  # fmt: skip
BY_FEATURE: Mapping[Feature, tuple[Wanted, ...]] = {
    Feature.FOLLOWS: (Wanted("channel.follow", "follows", _MODERATOR, ("moderator:read:followers",), "2"),),
    Feature.SUBSCRIPTIONS: (
        Wanted("channel.subscribe", "subscriptions", scopes=_SUBS, own=True),
        Wanted("channel.subscription.message", "subscriptions", scopes=_SUBS, own=True),
        Wanted("channel.subscription.gift", "subscriptions", scopes=_SUBS, own=True),
    ),
    Feature.BITS: (Wanted("channel.bits.use", "bits", scopes=("bits:read",), own=True),),
    Feature.SHIELD_MODE: (
        Wanted("channel.shield_mode.begin", "shield mode", _MODERATOR, _SHIELD),
        Wanted("channel.shield_mode.end", "shield mode", _MODERATOR, _SHIELD),
    ),
    Feature.AUTOMOD: (Wanted("automod.message.update", "automod", _MODERATOR, _AUTOMOD, "2"),),
}


def wanted(asked: Collection[str]) -> tuple[Wanted, ...]:
    """List what is wanted when the config asks for these scopes: for events, rewards, and what is typed by itself."""
    optional = (REWARDS, *(one for feature in BY_FEATURE.values() for one in feature))
    return (*ALWAYS, *(one for one in optional if one.scopes[0] in asked))


def scopes(features: Collection[Feature]) -> dict[str, str]:
    """Say which scopes a login must cover for these features, and for which."""
    found = {_CHAT[0]: "chat events"}
    return found | {one.scopes[0]: one.feature for feature in features for one in BY_FEATURE[feature]}


def lacking(one: Wanted, granted: Collection[str], own: bool) -> str:
    """Say why a subscription cannot be had with this login; empty when it can."""
    if one.own and not own:
        return "needs the streamer's own login"
    if one.scopes and not set(one.scopes) & set(granted):
        return f"needs {one.scopes[0]}"
    return ""


def summary(off: Mapping[Wanted, str]) -> Iterator[str]:
    """Say feature by feature what is off and why."""
    told: dict[str, str] = {}
    for one, why in off.items():
        told.setdefault(one.feature, why)
    for feature, why in told.items():
        yield f"{feature} off: {why}"
