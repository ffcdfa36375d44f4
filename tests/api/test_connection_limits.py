"""Strangers share what they may have; whoever shows a token finds room and an answer."""

from __future__ import annotations

import pytest

from streamer.api.auth import TokenRole
from streamer.api.connection_limits import (
    Allowance,
    ConnectionTable,
    LimitOptions,
    Peer,
    SocketAllowance,
    Turns,
    body_length,
    end_of_head,
    group_of,
    is_chunked,
    token_in,
)

LIMITS = LimitOptions(connections=16, strangers=8, strangers_per_address=4)


def peer(address: str = "127.0.0.1", **more: object) -> Peer:
    return Peer(address, lambda reason: None, **more)  # type: ignore[arg-type]


def admitted(table: ConnectionTable, *addresses: str) -> list[Peer]:
    peers = [peer(address) for address in addresses]
    for each in peers:
        table.admit(each)
    return peers


def test_the_oldest_of_an_address_makes_room_for_its_newest() -> None:
    table = ConnectionTable(LIMITS, 100)
    first, *_ = admitted(table, *["127.0.0.1"] * 4)
    assert table.admit(newest := peer()) is first
    assert len(table) == 4
    assert newest in set(table)


def test_a_crowd_from_one_address_closes_nobody_from_another() -> None:
    table = ConnectionTable(LimitOptions(connections=16, strangers=8, strangers_per_address=7), 100)
    other, *crowd = admitted(table, "10.0.0.2", *["10.0.0.1"] * 7)
    assert table.admit(peer("10.0.0.3")) is crowd[0]
    assert other in set(table)


def test_who_is_being_answered_stays_while_somebody_only_waits() -> None:
    table = ConnectionTable(LIMITS, 100)
    answered, waiting, *_ = admitted(table, *["127.0.0.1"] * 4)
    answered.answering = True
    assert table.admit(peer()) is waiting


def test_a_token_takes_a_connection_out_of_the_strangers() -> None:
    table = ConnectionTable(LIMITS, 100)
    first, second, *_ = admitted(table, *["127.0.0.1"] * 4)
    assert table.vouch(first, TokenRole.OVERLAY)
    assert table.admit(peer()) is None
    assert table.admit(peer()) is second
    table.remove(first)
    assert len(table) == 4


def test_pages_cannot_use_up_the_room_of_strangers_and_staff_always_finds_some() -> None:
    table = ConnectionTable(LIMITS, 100)
    for _ in range(8):
        assert table.vouch(admitted(table, "127.0.0.1")[0], TokenRole.OVERLAY)
    late, streamer = admitted(table, "127.0.0.1", "127.0.0.1")
    assert not table.vouch(late, TokenRole.TRIGGER)
    assert late in set(table)
    assert table.vouch(streamer, TokenRole.OPERATOR)


def test_only_when_nothing_but_tokens_is_left_a_newcomer_goes() -> None:
    table = ConnectionTable(LIMITS, 4)
    for _ in range(4):
        table.vouch(admitted(table, "127.0.0.1")[0], TokenRole.OPERATOR)
    assert table.admit(newcomer := peer()) is newcomer
    assert len(table) == 4


def test_the_system_may_allow_fewer_connections_than_the_config() -> None:
    table = ConnectionTable(LIMITS, 6)
    admitted(table, *[f"10.0.0.{number}" for number in range(20)])
    assert (table.capacity, len(table)) == (6, 3)


def test_what_is_late_or_reads_nothing_is_overdue() -> None:
    table = ConnectionTable(LIMITS, 100)
    late, stalled, fine = admitted(table, *["127.0.0.1"] * 3)
    late.due, stalled.stalled_due, fine.due = 5.0, 6.0, 7.0
    table.vouch(stalled, TokenRole.OVERLAY)
    assert table.overdue(4.9) == []
    assert set(table.overdue(6.0)) == {late, stalled}


def test_an_allowance_refills_with_time_up_to_its_burst() -> None:
    allowance = Allowance(10, 2, now=0)
    assert [allowance.take(1, 0) for _ in range(3)] == [True, True, False]
    assert allowance.wait_s(1) == pytest.approx(0.1)
    assert allowance.take(1, 0.1)
    assert [allowance.take(1, 100) for _ in range(3)] == [True, True, False]


def test_a_socket_may_say_little_before_its_token_and_more_after_it() -> None:
    allowance = SocketAllowance(LimitOptions(messages_per_s=10, bytes_per_s=10_000), now=0)
    assert [allowance.message(0) for _ in range(5)] == [True] * 4 + [False]
    assert [allowance.control(0) for _ in range(5)] == [True] * 4 + [False]
    assert (allowance.received(8192, 0), allowance.received(1, 0)) == (True, False)
    allowance.let_in(0)
    assert [allowance.message(0) for _ in range(31)] == [True] * 30 + [False]
    assert [allowance.control(0) for _ in range(31)] == [True] * 30 + [False]
    assert (allowance.received(30_000, 0), allowance.received(1, 0)) == (True, False)
    allowance.let_in(0)
    assert not allowance.message(0), "a second token grants no second burst"


def test_addresses_take_turns_whatever_the_length_of_their_lines() -> None:
    turns = Turns(Allowance(1, 1, now=0))
    crowd, other = [peer("10.0.0.1") for _ in range(3)], peer("10.0.0.2")
    assert turns.ask(peer("10.0.0.1"), 0)
    assert [turns.ask(each, 0) for each in (*crowd, other)] == [False] * 4
    assert turns.wait_s() == pytest.approx(1)
    assert turns.due(0.5) == []
    assert [turns.due(second) for second in (1, 2, 3)] == [[crowd[0]], [other], [crowd[1]]]
    turns.leave(crowd[2])
    assert (turns.due(4), turns.wait_s()) == ([], None)


def test_nobody_overtakes_those_who_wait() -> None:
    turns = Turns(Allowance(1, 1, now=0))
    first, second = peer(), peer("10.0.0.2")
    turns.ask(peer(), 0)
    assert not turns.ask(first, 0)
    assert not turns.ask(second, 1), "one could be answered now, and somebody waits for it"
    assert turns.due(1) == [first]


def test_tokens_of_one_role_share_their_turns() -> None:
    assert peer("10.0.0.1", role=TokenRole.TRIGGER).turn_group == peer("10.0.0.2", role=TokenRole.TRIGGER).turn_group
    assert peer("10.0.0.1").turn_group != peer("10.0.0.2").turn_group


@pytest.mark.parametrize(
    ("host", "group"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_a_network_counts_as_one_address_in_ipv6(host: str, group: str) -> None:
    assert group_of(host) == group


@pytest.mark.parametrize(
    ("head", "token"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer abc\r\n\r\n", "abc"),
        (b"GET / HTTP/1.1\nAUTHORIZATION:bearer  abc \n\n", "abc"),
        (b"GET /trigger/x?a=1&token=a%2Bb+c&d=2 HTTP/1.1\r\n\r\n", "a+b c"),
        (b"GET /trigger/x?token=abc HTTP/1.1\r\nAuthorization: Bearer def\r\n\r\n", "abc"),
        (b"GET / HTTP/1.1\r\nAuthorization: Basic abc\r\n\r\n", ""),
        (b"GET / HTTP/1.1\r\nX-Authorization: Bearer abc\r\n\r\n", ""),
        (b"GET /?xtoken=abc HTTP/1.1\r\nReferer: http://x/?token=abc\r\n\r\n", ""),
        (b"GET / HTTP/1.1\r\n\r\n", ""),
        (b"", ""),
    ],
)
def test_a_token_is_found_where_the_routes_look_for_it(head: bytes, token: str) -> None:
    assert token_in(head) == token


def test_the_end_of_a_head_and_a_body_in_chunks_are_recognized() -> None:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n"
    assert end_of_head(head + b"body") == len(head)
    assert end_of_head(b"GET / HTTP/1.1\n\nbody") == 16
    assert end_of_head(head[:-1]) is None
    assert is_chunked(head)
    assert not is_chunked(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n")


def test_the_length_of_a_body_is_read_from_the_head() -> None:
    assert body_length(b"POST / HTTP/1.1\r\nCONTENT-LENGTH : 12\r\ncontent-length:7\r\n\r\n") == 12
    assert body_length(b"GET / HTTP/1.1\r\nX-Content-Length: 12\r\n\r\n") == 0
