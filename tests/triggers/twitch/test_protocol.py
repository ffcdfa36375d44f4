"""The machine behind EventSub: two kinds of reconnect, never mixed up."""

import json
from typing import Any

import pytest

from streamer.triggers.twitch.protocol import (
    MOVE_S,
    SLACK_S,
    WELCOME_S,
    Action,
    Close,
    Lost,
    Moved,
    Open,
    Protocol,
    Revoked,
    Subscribe,
    Told,
)
from streamer.triggers.twitch.seen import Seen

NOW = 100.0


def message(kind: str, message_id: str = "m1", **payload: Any) -> str:
    metadata = {"message_id": message_id, "message_type": kind, "subscription_type": "stream.online"}
    return json.dumps({"metadata": metadata, "payload": payload})


def welcome(session_id: str, keepalive_s: int | None = 10) -> str:
    return message("session_welcome", session={"id": session_id, "keepalive_timeout_seconds": keepalive_s})


MOVE = message("session_reconnect", session={"reconnect_url": "ws://there"})
EVENT = message("notification", "n1", subscription={}, event={"a": 1})


@pytest.fixture
def protocol() -> Protocol:
    begun = Protocol("ws://base", Seen(), NOW)
    assert begun.begin == Open(1, "ws://base")
    assert begun.received(1, welcome("s1"), NOW) == [Subscribe("s1")]
    return begun


def test_a_move_keeps_the_old_socket_until_the_new_one_says_welcome(protocol: Protocol) -> None:
    assert protocol.received(1, MOVE, NOW) == [Open(2, "ws://there")]
    assert protocol.received(1, MOVE, NOW) == []
    assert protocol.received(1, EVENT, NOW) == [Told("n1", "stream.online", {"a": 1})]
    assert protocol.received(2, welcome("s2"), NOW) == [Close(1), Moved("s2")]
    assert protocol.closed(1, 4004, "", NOW) == []
    assert protocol.received(2, EVENT, NOW) == []


def test_an_old_socket_that_ends_early_leaves_the_new_one_its_time(protocol: Protocol) -> None:
    protocol.received(1, MOVE, NOW)
    assert protocol.closed(1, None, "reset", NOW) == []
    assert protocol.deadline() == NOW + MOVE_S
    assert protocol.received(2, welcome("s2"), NOW) == [Moved("s2")]


def test_a_move_that_fails_means_a_fresh_start(protocol: Protocol) -> None:
    protocol.received(1, MOVE, NOW)
    assert protocol.closed(2, 4007, "", NOW) == [Lost("Twitch does not know the address of the move", True)]


@pytest.mark.parametrize(("code", "at_once"), [(4000, False), (4003, False), (4004, True), (None, False)])
def test_a_lost_socket_means_a_fresh_start(protocol: Protocol, code: int | None, at_once: bool) -> None:
    (lost,) = protocol.closed(1, code, "reset", NOW)
    assert isinstance(lost, Lost)
    assert lost.at_once is at_once


def test_every_message_buys_as_much_time_as_was_announced(protocol: Protocol) -> None:
    assert protocol.deadline() == NOW + 10 + SLACK_S
    protocol.received(1, message("session_keepalive"), NOW + 9)
    assert protocol.deadline() == NOW + 19 + SLACK_S
    assert protocol.silent() == Lost("Twitch has gone silent")


def test_a_socket_without_a_welcome_is_given_up() -> None:
    begun = Protocol("ws://base", Seen(), NOW)
    assert begun.deadline() == NOW + WELCOME_S
    assert begun.silent() == Lost("Twitch does not say welcome")


def test_a_revocation_names_what_was_taken_and_why(protocol: Protocol) -> None:
    frame = message("revocation", subscription={"type": "channel.raid", "status": "authorization_revoked"})
    assert protocol.received(1, frame, NOW) == [Revoked("channel.raid", "authorization_revoked")]


@pytest.mark.parametrize("frame", ["", "[]", "{}", "null", b"\xff", '{"metadata": {}, "payload": 1}', message("news")])
def test_frames_that_make_no_sense_do_no_harm(protocol: Protocol, frame: str | bytes) -> None:
    expected: list[Action] = []
    assert protocol.received(1, frame, NOW) == expected
