"""Which EventSub subscriptions and login scopes the config needs, and which of them a login allows. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

CHAT_MESSAGES = "channel.chat.message"

_CHAT = ("user:read:chat",)
_SUBSCRIBERS = ("channel:read:subscriptions",)
_FOLLOWERS = ("moderator:read:followers",)
_BITS = ("bits:read",)
_SHIELD = ("moderator:read:shield_mode",)
_AUTOMOD = ("moderator:manage:automod",)
_REDEMPTIONS = ("channel:manage:redemptions", "channel:read:redemptions")

_READER = ("broadcaster_user_id", "user_id")
_MODERATOR = ("broadcaster_user_id", "moderator_user_id")

BLOCKED_TERMS: Mapping[str, str] = {"moderator:read:blocked_terms": "the channel's blocked terms"}
"""The scope that reads the channel's blocked terms, with its feature."""


class Feature(StrEnum):
    """What ``events`` of the Twitch trigger can switch on in config.yaml; each needs a login."""

    FOLLOWS = "follows"
    SUBSCRIPTIONS = "subscriptions"
    BITS = "bits"
    SHIELD_MODE = "shield_mode"
    AUTOMOD = "automod"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One EventSub subscription: needs one of ``scopes``, if any; ``own``: only with the broadcaster's own login."""

    kind: str
    feature: str
    condition_keys: tuple[str, ...] = ("broadcaster_user_id",)
    scopes: tuple[str, ...] = ()
    version: str = "1"
    own: bool = False

    def condition(self, channel_id: str, user_id: str) -> dict[str, str]:
        """Fill in the condition with the channel and the account that is logged in."""
        return {key: channel_id if "broadcaster" in key else user_id for key in self.condition_keys}


# Chat messages come first: Twitch closes a connection that has no subscription after ten seconds.
ALWAYS = (
    Subscription(CHAT_MESSAGES, "chat", _READER, _CHAT),
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
    Feature.FOLLOWS: (Subscription("channel.follow", "follows", _MODERATOR, _FOLLOWERS, "2"),),
    Feature.SUBSCRIPTIONS: (
        Subscription("channel.subscribe", "subscriptions", scopes=_SUBSCRIBERS, own=True),
        Subscription("channel.subscription.message", "subscriptions", scopes=_SUBSCRIBERS, own=True),
        Subscription("channel.subscription.gift", "subscriptions", scopes=_SUBSCRIBERS, own=True),
    ),
    Feature.BITS: (Subscription("channel.bits.use", "bits", scopes=_BITS, own=True),),
    Feature.SHIELD_MODE: (
        Subscription("channel.shield_mode.begin", "shield mode", _MODERATOR, _SHIELD),
        Subscription("channel.shield_mode.end", "shield mode", _MODERATOR, _SHIELD),
    ),
    Feature.AUTOMOD: (Subscription("automod.message.update", "automod", _MODERATOR, _AUTOMOD, "2"),),
}
# The scope behind each event of the `events` section that needs one.
_SCOPE_OF_EVENT = {"cheer": _BITS[0], "subscription": _CHAT[0], "gift": _CHAT[0], "follow": _FOLLOWERS[0]}


def needed_subscriptions(scopes: Collection[str]) -> tuple[Subscription, ...]:
    """List the subscriptions for a config that needs these scopes."""
    optional = (REWARDS, *(subscription for group in BY_FEATURE.values() for subscription in group))
    return (*ALWAYS, *(subscription for subscription in optional if subscription.scopes[0] in scopes))


def scopes_of_features(features: Collection[Feature]) -> dict[str, str]:
    """Map each scope that a login must cover for these features to the feature's name."""
    chat = {_CHAT[0]: "chat events"}
    return chat | {
        subscription.scopes[0]: subscription.feature for feature in features for subscription in BY_FEATURE[feature]
    }


def scopes_of_events(events: Iterable[str]) -> dict[str, str]:
    """Map each scope that these entries of ``events`` need to a feature's name; raids need none."""
    return {_SCOPE_OF_EVENT[event]: f"{event} events" for event in events if event in _SCOPE_OF_EVENT}


def why_unavailable(subscription: Subscription, granted: Collection[str], own_login: bool) -> str:
    """Say why a login cannot have a subscription; empty when it can."""
    if subscription.own and not own_login:
        return "needs the streamer's own login"
    if subscription.scopes and not set(subscription.scopes) & set(granted):
        return f"needs {subscription.scopes[0]}"
    return ""


def summary(off: Mapping[Subscription, str]) -> Iterator[str]:
    """Say for each feature that is off why: the reason of its first subscription."""
    reasons: dict[str, str] = {}
    for subscription, reason in off.items():
        reasons.setdefault(subscription.feature, reason)
    for feature, reason in reasons.items():
        yield f"{feature} off: {reason}"
