"""The state machine of EventSub: two kinds of reconnect, never mixed up."""

import json
from typing import Any

import pytest

from streamer.integrations.twitch.dedupe import TtlSet
from streamer.integrations.twitch.eventsub_protocol import (
    KEEPALIVE_S,
    RECONNECT_S,
    SLACK_S,
    WELCOME_S,
    Action,
    CloseSession,
    Disconnected,
    EventSubProtocol,
    Notification,
    OpenSession,
    Reconnected,
    SubscribeAll,
    SubscriptionRevoked,
)

NOW = 100.0


def message(kind: str, message_id: str = "m1", **payload: Any) -> str:
    metadata = {"message_id": message_id, "message_type": kind, "subscription_type": "stream.online"}
    return json.dumps({"metadata": metadata, "payload": payload})


def welcome(session_id: str, keepalive_s: int | None = 10) -> str:
    return message("session_welcome", session={"id": session_id, "keepalive_timeout_seconds": keepalive_s})


RECONNECT = message("session_reconnect", session={"reconnect_url": "ws://there"})
EVENT = message("notification", "n1", subscription={}, event={"a": 1})


@pytest.fixture
def protocol() -> EventSubProtocol:
    protocol = EventSubProtocol("ws://base", TtlSet(), NOW)
    assert protocol.first_action == OpenSession(1, "ws://base")
    assert protocol.received(1, welcome("s1"), NOW) == [SubscribeAll("s1")]
    return protocol


def test_a_reconnect_keeps_the_old_socket_until_the_new_one_says_welcome(protocol: EventSubProtocol) -> None:
    assert protocol.received(1, RECONNECT, NOW) == [OpenSession(2, "ws://there")]
    assert protocol.received(1, RECONNECT, NOW) == []
    assert protocol.received(1, EVENT, NOW) == [Notification("n1", "stream.online", {"a": 1})]
    assert protocol.received(2, welcome("s2"), NOW) == [CloseSession(1), Reconnected("s2")]
    assert protocol.closed(1, 4004, "") == []
    assert protocol.received(2, EVENT, NOW) == []


def test_an_old_socket_that_ends_early_leaves_the_new_one_its_time(protocol: EventSubProtocol) -> None:
    protocol.received(1, RECONNECT, NOW)
    assert protocol.closed(1, None, "reset") == []
    assert protocol.deadline() == NOW + RECONNECT_S
    assert protocol.received(2, welcome("s2"), NOW) == [Reconnected("s2")]


def test_a_reconnect_that_fails_means_a_fresh_start(protocol: EventSubProtocol) -> None:
    protocol.received(1, RECONNECT, NOW)
    assert protocol.closed(2, 4007, "") == [Disconnected("Twitch does not know the reconnect address", True)]


@pytest.mark.parametrize(("code", "at_once"), [(4000, False), (4003, False), (4004, True), (None, False)])
def test_a_lost_socket_means_a_fresh_start(protocol: EventSubProtocol, code: int | None, at_once: bool) -> None:
    (lost,) = protocol.closed(1, code, "reset")
    assert isinstance(lost, Disconnected)
    assert lost.at_once is at_once


def test_every_message_extends_the_deadline_by_the_announced_keepalive(protocol: EventSubProtocol) -> None:
    assert protocol.deadline() == NOW + 10 + SLACK_S
    protocol.received(1, message("session_keepalive"), NOW + 9)
    assert protocol.deadline() == NOW + 19 + SLACK_S
    assert protocol.timed_out() == Disconnected("Twitch has gone silent")


def test_a_socket_without_a_welcome_is_given_up() -> None:
    protocol = EventSubProtocol("ws://base", TtlSet(), NOW)
    assert protocol.deadline() == NOW + WELCOME_S
    assert protocol.timed_out() == Disconnected("Twitch sent no welcome message")


def test_a_revocation_names_the_subscription_and_the_reason(protocol: EventSubProtocol) -> None:
    frame = message("revocation", subscription={"type": "channel.raid", "status": "authorization_revoked"})
    assert protocol.received(1, frame, NOW) == [SubscriptionRevoked("channel.raid", "authorization_revoked")]


@pytest.mark.parametrize("frame", ["", "[]", "{}", "null", b"\xff", '{"metadata": {}, "payload": 1}', message("news")])
def test_malformed_frames_do_no_harm(protocol: EventSubProtocol, frame: str | bytes) -> None:
    expected: list[Action] = []
    assert protocol.received(1, frame, NOW) == expected


def test_a_connection_that_died_silently_is_noticed_within_a_minute() -> None:
    assert KEEPALIVE_S + SLACK_S + WELCOME_S < 45
