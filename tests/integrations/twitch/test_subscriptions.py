"""The subscriptions and scopes that the config needs, and what a login allows."""

from streamer.integrations.twitch.subscriptions import (
    ALWAYS,
    CHAT_MESSAGES,
    REWARDS,
    Feature,
    needed_subscriptions,
    scopes_of_events,
    scopes_of_features,
    summary,
    why_unavailable,
)


def test_chat_messages_come_first_and_nothing_is_subscribed_that_the_config_does_not_need() -> None:
    assert needed_subscriptions({}) == ALWAYS
    assert needed_subscriptions({})[0].kind == CHAT_MESSAGES
    needed = needed_subscriptions({"bits:read": "cheers", "channel:manage:redemptions": "rewards"})
    kinds = {subscription.kind for subscription in needed}
    assert {"channel.bits.use", REWARDS.kind} <= kinds
    assert "channel.follow" not in kinds


def test_each_feature_names_its_scope() -> None:
    assert set(scopes_of_features((Feature.FOLLOWS,))) == {"user:read:chat", "moderator:read:followers"}


def test_what_the_login_does_not_allow_is_reported_once_per_feature() -> None:
    assert why_unavailable(REWARDS, {"channel:read:redemptions"}, own_login=True) == ""
    assert why_unavailable(REWARDS, {"channel:manage:redemptions"}, own_login=False) == "needs the streamer's own login"
    off = {
        subscription: why_unavailable(subscription, (), own_login=True)
        for subscription in ALWAYS
        if subscription.scopes
    }
    assert list(summary(off)) == ["chat off: needs user:read:chat"]


def test_a_condition_tells_the_channel_from_the_reader() -> None:
    assert ALWAYS[0].condition("1", "2") == {"broadcaster_user_id": "1", "user_id": "2"}


def test_events_ask_for_their_scopes_and_raids_for_none() -> None:
    assert scopes_of_events(["raid"]) == {}
    assert scopes_of_events(["cheer", "follow", "cheer"]) == {
        "bits:read": "cheer events",
        "moderator:read:followers": "follow events",
    }
