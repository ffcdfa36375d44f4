"""Twitch's events, field by field."""

import pytest

from streamer.integrations.twitch.eventsub_events import from_usernotice, notice, retraction
from streamer.integrations.twitch.irc_message import parse
from streamer.types import NoticeKind
from tests.support.twitch_standin import payloads
from tests.support.twitch_standin.people import user_of

US, ANN = user_of("Harbour"), user_of("Ann")
NOW = 5.0


def test_a_raid_brings_its_viewers() -> None:
    parsed = notice("channel.raid", payloads.raid(US, ANN, 40), NOW)
    assert parsed is not None
    assert (parsed.kind, parsed.count, parsed.actor and parsed.actor.name) == (NoticeKind.RAID, 40, "Ann")


def test_a_gifted_subscription_is_told_by_its_giver_alone() -> None:
    assert notice("channel.subscribe", payloads.subscribe(US, ANN, is_gift=True), NOW) is None
    parsed = notice("channel.subscription.gift", payloads.subscription_gift(US, ANN, 5), NOW)
    assert parsed is not None
    assert (parsed.kind, parsed.count) == (NoticeKind.GIFT, 5)


def test_what_the_partner_channel_celebrates_is_not_ours() -> None:
    detail = {"cumulative_months": 3}
    ours = payloads.chat_notification(US, ANN, "resub", "n1", detail)
    theirs = payloads.chat_notification(US, ANN, "resub", "n1", detail, partner=user_of("Lighthouse"))
    assert notice("channel.chat.notification", ours, NOW) is not None
    assert notice("channel.chat.notification", theirs, NOW) is None


@pytest.mark.parametrize(("status", "gone"), [("Denied", True), ("Expired", True), ("Approved", False)])
def test_a_held_message_that_is_denied_is_taken_back(status: str, gone: bool) -> None:
    event = payloads.automod_update(US, ANN, "x", "m1", status)
    assert (retraction("automod.message.update", event, NOW) is not None) is gone


@pytest.mark.parametrize(
    ("tags", "kind", "count"),
    [
        ("msg-id=raid;user-id=7;login=ann;msg-param-viewerCount=12", NoticeKind.RAID, 12),
        ("msg-id=resub;user-id=7;login=ann;msg-param-cumulative-months=9", NoticeKind.SUBSCRIPTION, 9),
        ("msg-id=submysterygift;user-id=7;login=ann;msg-param-mass-gift-count=3", NoticeKind.GIFT, 3),
        ("msg-id=subgift;user-id=7;login=ann", NoticeKind.GIFT, 1),
    ],
)
def test_irc_says_the_same_in_tags(tags: str, kind: NoticeKind, count: int) -> None:
    message = parse(f"@{tags} :tmi.twitch.tv USERNOTICE #harbour")
    assert message is not None
    parsed = from_usernotice(message, NOW)
    assert parsed is not None
    assert (parsed.kind, parsed.count) == (kind, count)


def test_one_gift_of_many_is_not_told_again_for_each_receiver() -> None:
    message = parse("@msg-id=subgift;user-id=7;msg-param-community-gift-id=1 :tmi.twitch.tv USERNOTICE #harbour")
    assert message is not None
    assert from_usernotice(message, NOW) is None
