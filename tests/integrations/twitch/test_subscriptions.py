"""What is subscribed to follows from what the config asks for and what the login allows."""

from streamer.integrations.twitch.subscriptions import (
    ALWAYS,
    LINES,
    REWARDS,
    Feature,
    lacking,
    needed_subscriptions,
    scopes,
    summary,
)


def test_the_lines_of_chat_come_first_and_nothing_is_wanted_that_nobody_asked_for() -> None:
    assert needed_subscriptions({}) == ALWAYS
    assert needed_subscriptions({})[0].kind == LINES
    kinds = {one.kind for one in needed_subscriptions({"bits:read": "cheers", "channel:manage:redemptions": "rewards"})}
    assert {"channel.bits.use", REWARDS.kind} <= kinds
    assert "channel.follow" not in kinds


def test_each_feature_names_its_scope() -> None:
    assert set(scopes((Feature.FOLLOWS,))) == {"user:read:chat", "moderator:read:followers"}


def test_what_the_login_does_not_allow_is_said_once_a_feature() -> None:
    assert lacking(REWARDS, {"channel:read:redemptions"}, own=True) == ""
    assert lacking(REWARDS, {"channel:manage:redemptions"}, own=False) == "needs the streamer's own login"
    off = {one: lacking(one, (), own=True) for one in ALWAYS if one.scopes}
    assert list(summary(off)) == ["chat off: needs user:read:chat"]


def test_conditions_tell_the_channel_from_the_reader() -> None:
    assert ALWAYS[0].conditions("1", "2") == {"broadcaster_user_id": "1", "user_id": "2"}
